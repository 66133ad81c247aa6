"""Interface of the rule files. Every method returns the value of a directive, or a function of its wildcards."""

import os
from collections.abc import Callable, Iterable

from matlens import registry
from matlens.plan import resources
from matlens.plan.engines import Engines, Loops
from matlens.plan.figures import Figures
from matlens.plan.inputs import Images
from matlens.plan.learning import Learning
from matlens.plan.potentials import Potentials
from matlens.plan.predictions import Predictions


class Plan(Images, Learning, Predictions, Potentials, Engines, Loops, Figures):
    """The decisions for the studies of a run."""

    def items(self, wildcards) -> int:
        """Count the items of a job: of its shard, its part of the candidates, or all; 1 before they are listed."""
        if not hasattr(wildcards, "study"):
            return 1
        plan = f"{self.source(wildcards.study)}/plan/all.parquet"
        if not os.path.exists(plan):
            return 1
        total = resources.rows(plan, os.path.getmtime(plan))
        if hasattr(wildcards, "part"):
            return resources.items_of(min(total, self.most(wildcards) or total), self.parts(wildcards))
        return resources.items_of(total, self.shard_count(wildcards) if hasattr(wildcards, "shard") else None)

    def memory(self, base: float, per_item: float = 0) -> Callable:
        """Return a function of wildcards and attempt: megabytes, and so many more for each item of the job."""
        return lambda wildcards, attempt: resources.memory_mb(base, per_item, self.items(wildcards), attempt)

    def minutes(self, base: float, per_item: float = 0) -> Callable:
        """Return a function of wildcards and attempt: minutes, and so many more for each item of the job."""
        return lambda wildcards, attempt: resources.minutes(base, per_item, self.items(wildcards), attempt)

    def gpus(self, stage: str, networks: Iterable[str]) -> Callable:
        """Return a function of wildcards: 1 for a network, unless its study says `device: cpu`; else None."""

        def asked(wildcards):
            device = self.settings(wildcards, stage).get("device")
            return 1 if registry.method_of(wildcards.method) in networks and device != "cpu" else None

        return asked
