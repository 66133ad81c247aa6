"""Inputs of the rules that apply universal potentials."""

from collections.abc import Callable

from matlens import predict, registry
from matlens.crystal import POTENTIALS
from matlens.plan import closure
from matlens.plan.paths import Paths

ELEMENTS = "data/weights/{}_elements.csv"  # energies of the elements by a universal potential


class Potentials(Paths):
    """Inputs of the rules that apply universal potentials."""

    def potential_code(self, script: str) -> Callable:
        """Return a function of wildcards: the digest of the files behind a script that calls a universal potential."""
        tables = predict.POTENTIAL_METHODS, POTENTIALS
        return lambda wildcards: closure.digest(
            f"scripts/{script}.py", *(registry.entry(table, wildcards.method) for table in tables)
        )

    def by_potential(self, output: str) -> Callable:
        """Return a function of wildcards: what a potential writes of the crystals for a method; none without one."""

        def paths(wildcards) -> list[str]:
            potential = self.settings(wildcards, "predict")["potential"]
            folder = f"results/{wildcards.study}/predict/{potential}/{output}"
            return [f"{folder}/{shard}.parquet" for shard in self.shards(wildcards.study)] if potential else []

        return paths

    def element_energies(self, wildcards) -> str:
        """Return the energies of the elements by a universal potential."""
        return ELEMENTS.format(registry.method_of(wildcards.method))
