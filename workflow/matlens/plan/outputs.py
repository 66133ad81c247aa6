"""Methods, outputs and tables of a study, read from the table STAGES."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from matlens import registry
from matlens.plan.entries import MEASURE, Output
from matlens.plan.stages import STAGES, WITHIN


class Made(NamedTuple):
    """An output that a study makes: by which method of which stage, under which name."""

    stage: str
    method: str
    name: str
    output: Output

    def path(self, study: str, file: str = "") -> str:
        """Return the path of the output, with {shard} if it is one file per shard; `file` replaces its last part."""
        if self.output.path and not file:
            return self.output.path.format(study=study)
        folder = self.output.folder or self.method
        return f"results/{study}/{self.stage}/{folder}/{self.name}/{file or self.output.file}"


def family(stage: str, *names: str) -> list[str]:
    """List the methods that the project has of some families of a stage; of all of them if none is named."""
    entries = STAGES[stage].families
    tables = [entries.get(name) or WITHIN[stage, name] for name in names or entries]
    return list(dict.fromkeys(method for entry in tables for method in registry.table(entry)))


def controls(stage: str) -> tuple[str, ...]:
    """Return the trivial and perfect methods of a stage."""
    return registry.table(STAGES[stage].controls) if STAGES[stage].controls else ()


def methods(study: dict, stage: str, *families: str) -> list[str]:
    """List the methods of a stage that a study names, in its order, of some families or of all."""
    known = set(family(stage, *families))
    return [name for name in study.get(stage) or {} if registry.method_of(name) in known]


def given_of(study: dict, stage: str, method: str) -> list[str]:
    """List the sources of a method of a study, as its option `of` names them; [] if it has none."""
    found = ((study.get(stage) or {}).get(method) or {}).get("of") or []
    return [found] if isinstance(found, str) else found


def source_of(stage: str, name: str) -> tuple[str, str]:
    """Return stage and method of a name after `of`: "restore.unet" or, of the first source, "unet.wide"."""
    first, _, rest = name.partition(".")
    return (first, rest) if first in STAGES else (STAGES[stage].of[0], name)


def sources(study: dict, stage: str) -> list[str]:
    """List the names that may stand after `of` in a stage of a study."""
    about = STAGES[stage]
    if not about.of:
        return []
    found = [f"{source}.{method}" for source in about.of for method in methods(study, source)]
    return [*methods(study, about.of[0]), *found]


def measured(study: dict, stage: str, measure: str) -> list[str]:
    """List the methods whose output a measure works on: those after `of`, else all, in the order of the study."""
    every = [(source, method) for source in STAGES[stage].of for method in methods(study, source)]
    chosen = [source_of(stage, name) for name in given_of(study, stage, measure)]
    return [method for source, method in every if not chosen or (source, method) in chosen]


def named(name: str, study: dict, stage: str, beside: str) -> str:
    """Return the method or variant of a study that a name without variant means for another method.

    What belongs to "coarsening.fine" is "regions.fine" if the study has it, else "regions".
    """
    variant = beside.partition(".")[2]
    full = f"{name}.{variant}" if variant else name
    return full if full in (study.get(stage) or {}) else name


def _wanted(output: Output, study: dict, method: str) -> bool:
    return output.when is None or output.when(study, method)


def _of_measures(study: dict, stage: str, output: Output) -> Iterator[Made]:
    measures = methods(study, stage, *output.by)
    worked_on = {measure: measured(study, stage, measure) for measure in measures}
    for method in dict.fromkeys(method for names in worked_on.values() for method in names):
        if _wanted(output, study, method):
            for measure in (each for each in measures if method in worked_on[each]):
                yield Made(stage, method, output.name.format(measure=measure), output)


def made(study: dict) -> Iterator[Made]:
    """Yield every output that a study makes, stage by stage."""
    for stage, about in STAGES.items():
        for output in about.gives:
            if about.measures:
                yield from _of_measures(study, stage, output)
            else:
                for method in methods(study, stage, *output.by):
                    if _wanted(output, study, method):
                        yield Made(stage, method, output.name, output)


def tables(study: dict) -> list[str]:
    """List the tables of a study that people open, without .csv."""
    found = ["items", "rejected"]
    found += [one.output.table.format(measure=one.name) for one in made(study) if one.output.table]
    measures = {name: at for stage in STAGES if STAGES[stage].measures for at, name in enumerate(study.get(stage, {}))}
    first = min((at for at, name in enumerate(found) if name in measures), default=0)
    return list(dict.fromkeys([*found[:first], *[name for name in measures if name in found], *found[first:]]))


def stacked() -> list[str]:
    """List the tables that the rule `table` can write: the rows of every method, below each other."""
    return _names(lambda output: output.table and output.stacked)


def collected() -> tuple[list[str], list[str]]:
    """List the outputs whose tables per shard are concatenated, and the methods that write such."""
    made_by = []
    for stage, about in STAGES.items():
        some = [output for output in about.gives if output.collected]
        if about.measures:
            made_by += [method for source in about.of for method in family(source) if some]
        else:
            made_by += [method for output in some for method in family(stage, *output.by)]
    return _names(lambda output: output.collected), list(dict.fromkeys(made_by))


def _names(wanted: Callable[[Output], object]) -> list[str]:
    found = []
    for stage, about in STAGES.items():
        for output in filter(wanted, about.gives):
            found += family(stage, *output.by) if output.name == MEASURE else [output.name]
    return list(dict.fromkeys(found))


def hint(need: str) -> str:
    """Return the setting that makes a study write an output of a figure."""
    for about in STAGES.values():
        for output in about.gives:
            if output.drawn == need and output.hint:
                return output.hint.format(sites=", ".join(registry.table("matlens.nets:SITES")))
    stage = next(name for name, about in STAGES.items() if about.measures)
    return f"add '{need}: {{}}' to the section '{stage}'"


def stage_table() -> list[str]:
    """Write the table of docs/stages.md: purpose, tables and methods of each stage."""
    rows = ["| stage | from what to what | tables for people | methods |", "|---|---|---|---|"]
    for stage, about in STAGES.items():
        shown = dict.fromkeys(one.table for one in about.gives if one.table)
        shown = ["one per measure" if name == MEASURE else f"`{name}`" for name in shown]
        known = [[name for name in family(stage, each) if name not in controls(stage)] for each in about.families]
        groups = [", ".join(names) for names in known]
        controlled = f"; controls {', '.join(controls(stage))}" if about.controls else ""
        methods_of_stage = "; ".join(dict.fromkeys(groups)) + controlled
        rows.append(f"| {stage} | {about.about} | {', '.join(shown)} | {methods_of_stage} |")
    return rows
