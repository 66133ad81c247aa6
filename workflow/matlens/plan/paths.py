"""Paths of the files of a study: pure functions from settings, and the same for the wildcards of a rule."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from matlens import registry
from matlens.plan import closure, outputs, stages, study

INGEST_TABLES = ("index", "rejected", "truth_objects")


def shards(settings: dict) -> list[str]:
    """List the shards of a study."""
    return [f"{number:04d}" for number in range(settings["ingest"]["shards"])]


def suffix(output: str) -> str:
    """Return the extension of a file of ingest: that of a table, or of arrays."""
    return "parquet" if output in INGEST_TABLES else "zarr.zip"


def source(name: str, settings: dict) -> str:
    """Return the folder of the ingested items of a study."""
    return f"results/{name}/ingest/{study.ingest_method(settings)}"


def filled(path: str, **values: str | Iterable[str]) -> list[str]:
    """Fill the placeholders of a path with every value of each, the first placeholder slowest."""
    paths = [path]
    for key, given in values.items():
        if f"{{{key}}}" in path:
            parts = [given] if isinstance(given, str) else list(given)
            paths = [one.replace(f"{{{key}}}", part) for one in paths for part in parts]
    return paths


def files(name: str, settings: dict, made: outputs.Made, file: str = "") -> list[str]:
    """List the files of an output of a study."""
    rounds = settings.get("acquire", {}).get("rounds", 0)
    numbers = [f"{number:04d}" for number in range(1, rounds + 1)]
    return filled(made.path(name, file), shard=shards(settings), round=numbers)


def images_of(name: str, settings: dict, stage: str, method: str, shard: str) -> str:
    """Return the images of a shard that a method of a stage works on: those after `of`, or those of ingest."""
    for given in outputs.given_of(settings, stage, method):
        source_stage, source_method = outputs.source_of(stage, given)
        kind = "labels" if source_stage == "segment" else "images"
        return f"results/{name}/{source_stage}/{source_method}/{kind}/{shard}.zarr.zip"
    return f"{source(name, settings)}/images/{shard}.zarr.zip"


def labels_of(name: str, settings: dict, stage: str, method: str, shard: str) -> str:
    """Return the labels of a shard that a method works on: those after `of`, or of the first segmentation."""
    given = [*outputs.given_of(settings, stage, method), *outputs.sources(settings, stage)][0]
    source_stage, source_method = outputs.source_of(stage, given)
    return f"results/{name}/{source_stage}/{source_method}/labels/{shard}.zarr.zip"


def measured_file(name: str, settings: dict, stage: str, method: str, shard: str) -> str:
    """Return the file of a shard that the measures of a stage work on, for the method that is measured."""
    about = stages.STAGES[stage]
    made_by = next(each for each in about.of if method in (settings.get(each) or {}))
    return f"results/{name}/{made_by}/{method}/{about.takes}/{shard}.zarr.zip"


def rejected(name: str, settings: dict) -> list[str]:
    """List every `rejected` table of a study: stage by stage, method by method."""
    found = [one for one in outputs.made(settings) if one.name.startswith("rejected")]
    return [path for one in found for path in files(name, settings, one)]


def tables(name: str, settings: dict) -> list[str]:
    """List the tables of a study that people open."""
    return [f"results/{name}/tables/{table}.csv" for table in outputs.tables(settings)]


def targets(name: str, settings: dict) -> list[str]:
    """List the further files for users of a study: scores in the format of a benchmark, costs of verdicts."""
    found = [path for one in outputs.made(settings) if one.output.target for path in files(name, settings, one)]
    return list(dict.fromkeys(found))


def stacked(name: str, settings: dict, table: str) -> dict[str, str]:
    """Return the merged tables behind one that people open, by method, in the order of the study."""
    found = {}
    for one in outputs.made(settings):
        if one.output.stacked and one.output.table and one.name == table:
            found[one.method] = one.path(name, stages.STUDY)
            about = stages.STAGES[one.stage]
            order = [method for stage in (about.of if about.measures else (one.stage,)) for method in settings[stage]]
    return {method: found[method] for method in sorted(found, key=lambda method: order.index(method))}


def drawable(name: str, settings: dict) -> dict[str, str | dict[str, str]]:
    """Return every output that a figure of a study can be drawn from: its path, or its paths by method.

    An output with a file per shard has those of its first method by shard, or those of each by "method/shard".
    """
    found: dict = {}
    for one in outputs.made(settings):
        need = one.output.drawn.format(measure=one.name)
        merged = stages.STUDY if one.output.collected else ""
        if not need:
            continue
        paths = files(name, settings, one, merged)
        if one.output.single:
            found[need] = paths[0]
        elif "{shard}" in one.path(name, merged):
            by_shard = dict(zip(shards(settings), paths, strict=True))
            if one.output.each:
                found.setdefault(need, {}).update({f"{one.method}/{shard}": path for shard, path in by_shard.items()})
            else:
                found.setdefault(need, by_shard)
        else:
            found.setdefault(need, {})[one.method] = paths[0]
    return found


@dataclass(frozen=True, repr=False)
class Paths:
    """The studies of a run; methods return what the directives of a rule take, or functions of its wildcards."""

    studies: Mapping[str, dict]

    def settings(self, wildcards, stage: str, key: str = "method"):
        """Return the settings of a stage for a method of it; `key`: the wildcard that names it."""
        return self.studies[wildcards.study][stage][wildcards[key]]

    def options(self, stage: str, key: str = "method") -> Callable:
        """Return a function of wildcards: the options of a method."""
        return lambda wildcards: self.settings(wildcards, stage, key)

    def section(self, stage: str, *keys: str) -> Callable:
        """Return a function of wildcards: the section of a stage, or a value deeper in it."""

        def value(wildcards):
            found = self.studies[wildcards.study][stage]
            for key in keys:
                found = found[key]
            return found

        return value

    def chosen(self, stage: str, keys: Iterable[str]) -> Callable:
        """Return a function of wildcards: some settings of the section of a stage."""
        return lambda wildcards: {key: self.studies[wildcards.study][stage][key] for key in keys}

    def phases(self, wildcards) -> list[str]:
        """Return the names of the phases of a study."""
        return self.studies[wildcards.study]["phases"]

    def shards(self, name: str) -> list[str]:
        """List the shards of a study."""
        return shards(self.studies[name])

    def shard_count(self, wildcards) -> int:
        """Return the number of shards of a study."""
        return self.studies[wildcards.study]["ingest"]["shards"]

    def source(self, name: str) -> str:
        """Return the folder of the ingested items of a study."""
        return source(name, self.studies[name])

    def methods(self, stage: str) -> Callable:
        """Return a function of wildcards: the methods of a stage that a study names."""
        return lambda wildcards: outputs.methods(self.studies[wildcards.study], stage)

    def ingested(self, output: str, merged: bool = False) -> Callable:
        """Return a function of wildcards: a file of ingest; of their shard, of all shards, or the merged one."""

        def paths(wildcards):
            folder = f"{self.source(wildcards.study)}/{output}"
            if merged:
                return f"{folder}/all.parquet"
            end = suffix(output)
            if hasattr(wildcards, "shard"):
                return f"{folder}/{wildcards.shard}.{end}"
            return [f"{folder}/{shard}.{end}" for shard in self.shards(wildcards.study)]

        return paths

    def index(self, wildcards) -> str:
        """Return the index of the items of a study."""
        return f"{self.source(wildcards.study)}/index/all.parquet"

    def plan(self, wildcards) -> str:
        """Return the list of the items of a study."""
        return f"{self.source(wildcards.study)}/plan/all.parquet"

    def of_shards(self, path: str) -> Callable:
        """Return a function of wildcards: the files of all shards, for a path with placeholders."""
        return lambda wildcards: filled(path, **dict(wildcards.items()), shard=self.shards(wildcards.study))

    def of_methods(self, stage: str, path: str) -> Callable:
        """Return a function of wildcards: the files of all methods of a stage, and all shards, for a path with
        placeholders."""

        def paths(wildcards):
            settings = self.studies[wildcards.study]
            about = {"method": outputs.methods(settings, stage), "shard": shards(settings)}
            return filled(path, study=wildcards.study, **about)

        return paths

    def all_tables(self) -> list[str]:
        """List the tables of all studies that people open."""
        return [path for name, settings in self.studies.items() for path in tables(name, settings)]

    def all_targets(self) -> list[str]:
        """List the further files for users of all studies."""
        return [path for name, settings in self.studies.items() for path in targets(name, settings)]

    def rejected(self, wildcards) -> list[str]:
        """List every `rejected` table of a study."""
        return rejected(wildcards.study, self.studies[wildcards.study])

    def stacked(self, wildcards) -> list[str]:
        """List the merged tables behind one that people open."""
        return list(stacked(wildcards.study, self.studies[wildcards.study], wildcards.table).values())

    def stacked_methods(self, wildcards) -> list[str]:
        """List the methods behind a table that people open, in the order of the tables."""
        return list(stacked(wildcards.study, self.studies[wildcards.study], wildcards.table))

    def code(self, script: str, table: Mapping[str, str] | None = None, key: str = "method") -> str | Callable:
        """Digest the library files behind a script, and behind the method that the wildcard `key` names in a table."""
        path = f"scripts/{script}.py"
        if table is None:
            return closure.digest(path)
        return lambda wildcards: closure.digest(path, registry.entry(table, wildcards[key]))
