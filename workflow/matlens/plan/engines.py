"""Inputs of the stages that judge candidates and choose the next: validate, handoff, acquire."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from matlens import acquire, registry, validate
from matlens.plan import closure, outputs, resources, stages
from matlens.plan.paths import Paths
from matlens.plan.predictions import potentials
from matlens.store import io
from matlens.thermo import database
from matlens.validate import collect_results


def engines(settings: dict) -> list[str]:
    """List the engines that judge the candidates of a study."""
    return outputs.methods(settings, "validate", *stages.ENGINES)


def shortlists(settings: dict) -> list[str]:
    """List the methods whose shortlists are judged; a control's is not."""
    controls = outputs.controls("screen")
    return [method for method in outputs.methods(settings, "screen") if registry.method_of(method) not in controls]


def relaxed_by(settings: dict) -> str:
    """Return the potential that relaxed the structures of the candidates; "" if they are those of ingest."""
    chosen, there = settings["validate"]["structures"], potentials(settings)
    return there[0] if there and chosen in ("relaxed", "auto") else ""


def fitted(name: str) -> str:
    """Return the method of `fit` that a database is of, as in "fit.compound_energy.cu_au"; "" if it is a file."""
    return name.removeprefix("fit.") if name.startswith("fit.") else ""


def fitted_path(study: str, name: str) -> str:
    """Return the path of a database that a study fits."""
    return f"results/{study}/fit/{fitted(name)}/database/all.tdb"


def results_digest(folder: str, seen: str) -> str:
    """Digest the results in the hand-offs of a folder, to notice those that are copied back.

    While they are unchanged since they were last judged, as the file `seen` says, this is the digest of that time, so
    that the workflow's own runs do not trigger a rerun.
    """
    found = collect_results.digest(Path(folder))
    try:
        last = io.read_json(seen)
    except (OSError, ValueError):
        return found
    return last["asked"] if last["digest"] == found else found


class Engines(Paths):
    """Inputs and parameters of the rules that judge candidates."""

    def shortlists(self, wildcards) -> list[str]:
        """List the shortlists that candidates are taken from; none if they are items of the index."""
        settings = self.studies[wildcards.study]
        if settings["validate"]["candidates"] != "shortlist":
            return []
        folder = f"results/{wildcards.study}/screen"
        return [f"{folder}/{method}/shortlist/all.parquet" for method in shortlists(settings)]

    def structures(self, wildcards) -> list[str]:
        """List the structures of the candidates of a study; none if they are compositions."""
        name, settings = wildcards.study, self.studies[wildcards.study]
        if not outputs.methods(settings, "ingest", "crystals"):
            return []
        potential = relaxed_by(settings)
        folder = f"results/{name}/predict/{potential}" if potential else self.source(name)
        return [f"{folder}/structures/{shard}.zarr.zip" for shard in self.shards(name)]

    def of_parts(self, path: str) -> Callable:
        """Return a function of wildcards: the files of all parts that the candidates of a study are divided into."""
        return lambda wildcards: [
            path.format(**dict(wildcards.items()), part=f"{part:04d}") for part in range(self.parts(wildcards))
        ]

    def parts(self, wildcards) -> int:
        """Return the number of parts that the candidates of a study are divided into."""
        return self.studies[wildcards.study]["validate"]["jobs"]

    def most(self, wildcards) -> int | None:
        """Return the largest number of candidates of each shortlist, or of the index; None for all."""
        return self.studies[wildcards.study]["validate"]["most"]

    def of_engines(self, output: str) -> Callable:
        """Return a function of wildcards: an output of every engine that judges the candidates of a study."""
        return lambda wildcards: [
            f"results/{wildcards.study}/validate/{method}/{output}/all.parquet"
            for method in engines(self.studies[wildcards.study])
        ]

    def candidate_minutes(self, base: float) -> Callable:
        """Return a function of wildcards and attempt: the minutes that the candidates of a part ask for."""

        def asked(wildcards, attempt):
            settings = self.studies[wildcards.study]["validate"]
            each = settings[wildcards.method].get("minutes", 60)
            candidates = resources.items_of(settings["most"] or 100, settings["jobs"])
            return resources.minutes(base, each, candidates, attempt)

        return asked

    def program_found(self, wildcards) -> bool:
        """Check whether the program of an engine is on this machine."""
        program = validate.PROGRAMS.get(registry.method_of(wildcards.method))
        return bool(program and shutil.which(program))

    def returned_results_digest(self, wildcards) -> str:
        """Digest the results that were copied back into the folders of an engine; see `results_digest`."""
        folder = f"results/{wildcards.study}"
        return results_digest(
            f"{folder}/handoff/{wildcards.method}", f"{folder}/validate/{wildcards.method}/seen/all.json"
        )

    def databases(self, section: str = "") -> Callable:
        """Return a function of wildcards: the digest of the databases of a section of validate, or of the method."""

        def digest(wildcards):
            settings = self.studies[wildcards.study]["validate"][section or wildcards.method]
            return database.digest([one["database"] for one in settings["databases"] if not fitted(one["database"])])

        return digest

    def fitted_databases(self, wildcards) -> list[str]:
        """List the databases of a diagram that the study itself fits."""
        given = self.studies[wildcards.study]["validate"]["diagram"]["databases"]
        return [fitted_path(wildcards.study, one["database"]) for one in given if fitted(one["database"])]

    def fitted_samples(self, wildcards) -> list[str]:
        """List the refits of the databases of a diagram that the study itself fits."""
        return [path.replace("/database/all.tdb", "/samples/all.json") for path in self.fitted_databases(wildcards)]

    def fit_reference(self, wildcards) -> str:
        """Digest the database that a fit takes pure elements and phases from; "" without one."""
        reference = self.studies[wildcards.study]["fit"][wildcards.method].get("reference")
        return database.digest([reference]) if reference else ""

    def diagram_settings(self, wildcards) -> dict:
        """Return the settings of a diagram; databases that the study fits are named by their paths."""
        found = self.studies[wildcards.study]["validate"]["diagram"]
        given = [
            {**one, "database": fitted_path(wildcards.study, one["database"])} if fitted(one["database"]) else one
            for one in found["databases"]
        ]
        return {**found, "databases": given}

    def equilibria(self, wildcards) -> list[str]:
        """List the files behind a table of equilibria, or of their comparison with measured fractions."""
        settings = self.studies[wildcards.study]
        found = [one for one in outputs.made(settings) if one.output.table == wildcards.table]
        return [one.path(wildcards.study) for one in found if one.name == wildcards.table]

    def fraction_methods(self, wildcards) -> list[str]:
        """List the segmentations whose phase fractions a study measures."""
        return outputs.measured(self.studies[wildcards.study], "quantify", "fractions")

    def fractions(self, wildcards) -> list[str]:
        """List the measured phase fractions of a study."""
        folder = f"results/{wildcards.study}/quantify"
        return [f"{folder}/{method}/fractions/all.parquet" for method in self.fraction_methods(wildcards)]


class Loops(Paths):
    """Inputs and parameters of the rules that choose candidates round by round."""

    def earlier_rounds(self, output: str) -> Callable:
        """Return a function of wildcards: the files of the rounds before that of a job."""
        return lambda wildcards: _rounds(wildcards, output, int(wildcards.round))

    def all_rounds(self, output: str) -> Callable:
        """Return a function of wildcards: the files of all rounds of a method."""
        return lambda wildcards: _rounds(wildcards, output, 1 + self.studies[wildcards.study]["acquire"]["rounds"])

    def loop_settings(self, wildcards) -> dict:
        """Return the settings that all methods of a loop share; the number of rounds is no setting of a round."""
        settings = self.studies[wildcards.study]["acquire"]
        own = {*outputs.methods(self.studies[wildcards.study], "acquire"), *acquire.ORACLES, "rounds"}
        kept = {key: value for key, value in settings.items() if key not in own}
        return {**kept, "sure": settings.get("calphad", {}).get("sure", 0.0)}

    def oracle_settings(self, wildcards) -> dict:
        """Return the quantities that the oracle of a loop is asked for, and its options."""
        settings = self.studies[wildcards.study]["acquire"]
        names = [
            *settings["objectives"],
            *(name for name, one in settings["constraints"].items() if not one.get("known")),
        ]
        return {"names": list(dict.fromkeys(names)), "options": settings.get(settings["oracle"]) or {}}

    def loop_structures(self, wildcards) -> list[str]:
        """List the crystals of a study whose oracle works on them; none for another oracle."""
        oracle = self.studies[wildcards.study]["acquire"]["oracle"]
        if validate.NEEDS.get(oracle) != "crystals":
            return []
        return [f"{self.source(wildcards.study)}/structures/{shard}.zarr.zip" for shard in self.shards(wildcards.study)]

    def returned_in_round(self, wildcards) -> str:
        """Digest the results that were copied back into the hand-offs of a round; see `results_digest`."""
        folder = f"results/{wildcards.study}/acquire/{wildcards.method}"
        return results_digest(f"{folder}/handoff/{wildcards.round}", f"{folder}/seen/{wildcards.round}.json")

    def oracle_minutes(self, base: float) -> Callable:
        """Return a function of wildcards and attempt: minutes, and those of every candidate of a round of hand-offs."""

        def asked(wildcards, attempt):
            settings = self.studies[wildcards.study]["acquire"]
            each = (settings.get(settings["oracle"]) or {}).get("minutes", 0)
            most = max(settings["initial"], settings["batch"]) * settings["replicates"]
            return resources.minutes(base, each, most, attempt)

        return asked

    def oracle_databases(self, wildcards) -> str:
        """Digest the databases of the oracle of a loop, to notice a change; "" without any."""
        settings = self.studies[wildcards.study]["acquire"].get("calphad", {})
        return database.digest([one["database"] for one in settings.get("databases", [])])

    def loop_code(self, script: str, **tables: dict) -> Callable:
        """Return a function of wildcards: the digest of the library files behind a script and a loop's entries.

        `tables`: a table for each setting of `acquire` that names an entry of it (surrogate, oracle); `method`: for the
        wildcard.
        """

        def digest(wildcards):
            settings = {**self.studies[wildcards.study]["acquire"], "method": wildcards.method}
            entries = [registry.entry(table, settings[key]) for key, table in tables.items()]
            return closure.digest(f"scripts/{script}.py", *entries)

        return digest


def _rounds(wildcards, output: str, end: int) -> list[str]:
    folder = f"results/{wildcards.study}/acquire/{wildcards.method}/{output}"
    return [f"{folder}/{number:04d}.parquet" for number in range(1, end)]


def handoff_templates() -> list[str]:
    """List the scripts that the folders of an engine are written from."""
    folder = "workflow/matlens/validate/templates"
    return sorted(f"{folder}/{name}" for name in os.listdir(folder) if "." in name)
