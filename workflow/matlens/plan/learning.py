"""Inputs of training and of trained methods, for every stage that has some."""

from collections.abc import Callable, Mapping

from matlens import registry
from matlens.learn import cards, lessons
from matlens.plan import closure, outputs
from matlens.plan.paths import Paths, images_of, labels_of
from matlens.plan.stages import STAGES

STAGES_THAT_LEARN = tuple(name for name, stage in STAGES.items() if stage.answers)


def learners(stage: str) -> Mapping[str, str]:
    """Return the methods of a stage that learn, by name; none for a stage without such."""
    return registry.table(f"matlens.{stage}:LEARNERS") if STAGES[stage].answers else {}


def network_of(stage: str, method: str) -> list[str]:
    """List the network of a method, which NETWORKS of the package of its stage names; none for other methods."""
    known, bare = registry.table(f"matlens.{stage}:NETWORKS"), registry.method_of(method)
    return [known[bare]] if bare in known else []


def truth_of(settings: dict, stage: str, method: str) -> str:
    """Return the method of a stage that another one of it learns from: that of `truth`, or the first that is exact."""
    chosen = settings[stage][method].get("truth")
    known = outputs.methods(settings, stage)
    return chosen or next(name for name in known if registry.method_of(name) not in learners(stage))


LEARNERS = tuple(dict.fromkeys(name for stage in STAGES_THAT_LEARN for name in learners(stage)))


class Learning(Paths):
    """Inputs and parameters of the rules that train methods and of the rules that apply them."""

    def taken(self, wildcards) -> list[str]:
        """List the images, or the labels, of all shards that a method is trained on."""
        name, settings = wildcards.study, self.studies[wildcards.study]
        of = labels_of if STAGES[wildcards.stage].takes == "labels" else images_of
        return [of(name, settings, wildcards.stage, wildcards.method, shard) for shard in self.shards(name)]

    def answers(self, wildcards) -> list[str]:
        """List the answers of all shards that a method is trained on."""
        name, stage, settings = wildcards.study, wildcards.stage, self.studies[wildcards.study]
        output = STAGES[stage].answers
        if any(output == each.name for each in STAGES["ingest"].gives):
            folder = self.source(name)
        else:
            folder = f"results/{name}/{stage}/{truth_of(settings, stage, wildcards.method)}"
        return [f"{folder}/{output}/{shard}.zarr.zip" for shard in self.shards(name)]

    def exact(self, stage: str, of: str = "") -> Callable:
        """Return a function of wildcards: the method whose answers a learned method of a stage is judged by, or its
        options; `of`: an output of it, as the file of a shard. Nothing but options for a method that does not learn."""

        def value(wildcards):
            settings = self.studies[wildcards.study]
            learned = registry.method_of(wildcards.method) in learners(stage)
            method = truth_of(settings, stage, wildcards.method) if learned else wildcards.method
            if not of:
                return settings[stage][method]
            return f"results/{wildcards.study}/{stage}/{method}/{of}/{wildcards.shard}.zarr.zip" if learned else []

        return value

    def initial(self, wildcards) -> str | list:
        """Return the weights that training starts from; none if it starts from random ones."""
        chosen = self.settings(wildcards, wildcards.stage)
        return registry.call(cards.initial, dict(wildcards.items()), chosen) or []

    def weights(self, stage: str) -> Callable:
        """Return a function of wildcards: the weights that a method applies; none if it does not learn."""

        def file(wildcards) -> str | list:
            if registry.method_of(wildcards.method) not in learners(stage):
                return []
            return registry.call(
                cards.lent, {"stage": stage, **dict(wildcards.items())}, self.settings(wildcards, stage)
            )

        return file

    def card(self, stage: str) -> Callable:
        """Return a function of wildcards: the card of the weights that a method applies."""

        def file(wildcards) -> str | list:
            found = self.weights(stage)(wildcards)
            return cards.card_file(found) if found else []

        return file

    def detection_card(self, wildcards) -> str | list:
        """Return the card of a detection: that of its weights, or of the threshold chosen for it."""
        return self.card("detect")(wildcards) or self.threshold_card(wildcards)

    def training_gpu(self, wildcards) -> int | None:
        """Return 1 for a method that has a device, unless its study says `device: cpu`; else None."""
        return None if self.settings(wildcards, wildcards.stage).get("device", "cpu") == "cpu" else 1

    def training_options(self, wildcards) -> dict:
        """Return the options of a method that is trained, and the settings that all methods of its stage share."""
        section = self.studies[wildcards.study][wildcards.stage]
        shared = lessons.named(wildcards.stage, "SETTINGS") or ()
        return {**{key: section[key] for key in shared}, **self.settings(wildcards, wildcards.stage)}

    def learned(self, *stages: str) -> Callable:
        """Return a function of wildcards: (stage, options) of every method of some stages that a study trains."""

        def found(wildcards) -> list[tuple]:
            settings = self.studies[wildcards.study]
            named = [(stage, name) for stage in stages for name in outputs.methods(settings, stage)]
            own = [(stage, settings[stage][name]) for stage, name in named
                   if registry.method_of(name) in learners(stage)]  # fmt: skip
            return [(stage, options) for stage, options in own if not options.get("weights")]

        return found

    def training_code(self, wildcards) -> str:
        """Digest the library files behind the training of a method."""
        stage = wildcards.stage
        more = lessons.named(stage, "LESSONS"), lessons.named(stage, "ROLES", lessons.SPLIT)
        return self._code("learn", stage, wildcards, learners(stage), *more)

    def trained_code(self, stage: str, table: Mapping[str, str]) -> Callable:
        """Return a function of wildcards: the digest of the library files of a stage, a method and its network."""
        return lambda wildcards: self._code(stage, stage, wildcards, table)

    def _code(self, script: str, stage: str, wildcards, table: Mapping[str, str], *more: str) -> str:
        starts = registry.entry(table, wildcards.method), *network_of(stage, wildcards.method), *more
        return closure.digest(f"scripts/{script}.py", *starts)
