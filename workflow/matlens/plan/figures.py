"""Figures of a study, and its part of the report."""

import difflib
import os
from collections.abc import Callable

from figures import DRAWS, FIGURES

from matlens import registry
from matlens.acquire.rounds import asked
from matlens.meanings import grains, regions
from matlens.plan import closure, outputs, paths, references, study
from matlens.plan.message import refuse
from matlens.plan.paths import Paths
from matlens.quantify.scores import METRICS
from matlens.registry import method_of
from matlens.store import catalog

COLUMNS = {  # figures of one column of a measure: option, measure, endings of its name, columns to choose from
    "sizes": ("quantity", "regions", ("_px", "_px2", "_px3"), {"area_px2", *regions.MEANING}),
    "grain_size": ("quantity", "grain_size", ("_px",), {"chord_mean_px", *grains.MEANING}),
    "scores": ("metric", "scores", ("",), METRICS),
}


def pictures(name: str, settings: dict) -> list[str]:
    """List the figures of a study."""
    return [f"results/{name}/figures/{figure}.svg" for figure in settings["figures"]]


def overlays(name: str, settings: dict) -> dict[str, str]:
    """Return the overlays of a study by method."""
    return {method: f"results/{name}/segment/{method}/overlays/all.zip" for method in settings["segment"]}


def by_name(files: list[str]) -> dict[str, str]:
    """Return files by their name without extension: "results/x/tables/items.csv" is "items"."""
    return {os.path.splitext(os.path.basename(path))[0]: path for path in files}


def contents(studies: dict) -> dict:
    """List texts, settings and files of every study for the report, by name."""
    return {
        name: {
            **{key: settings[key] for key in ("title", "about", "reference")},
            "settings": settings,
            "shards": settings["ingest"]["shards"],
            "methods": [*settings["connect"], *settings["segment"]],
            "used": references.used(settings),
            "entries": references.entries(settings),
            "cited": [*references.programs(settings), *references.data_sets(settings)],
            "main_table": study.main_table(settings).removesuffix(".csv"),
            "tables": by_name(paths.tables(name, settings)),
            "figures": by_name(pictures(name, settings)),
            "overlays": overlays(name, settings),
        }
        for name, settings in studies.items()
    }


def published(reference: str) -> str:
    """Find the file of published curves, named "<data set>/<file>"."""
    return str(catalog.find(*reference.split("/", 1)))


def lacking(settings: dict, name: str):
    """Yield (keys, reason) of every figure that is drawn from an output that its study does not make."""
    there = {need for need, files in paths.drawable(name, settings).items() if files}
    for figure in settings["figures"]:
        hints = {}
        for need in FIGURES[method_of(figure)]["needs"]:
            if outputs.named(need, settings, "quantify", figure) not in there:
                hints.setdefault(outputs.hint(need), need)
        for hint, need in hints.items():
            yield ["figures", figure], f"it is drawn from '{need}'; {hint}"


def unknown_columns(settings: dict):
    """Yield (keys, reason) of every figure of a column that no table of its measure has."""
    for figure, options in settings["figures"].items():
        option, measure, units, names = COLUMNS.get(method_of(figure), ("", "", (), ()))
        known = {name.removesuffix(unit) for unit in units for name in names if name.endswith(unit)}
        if (column := (options or {}).get(option)) and column not in known:
            near = difflib.get_close_matches(column, known, n=1, cutoff=0.75)
            fix = f"did you mean '{near[0]}'?" if near else "choose a column of its table"
            kinds = f"with the unit {', '.join(unit.strip('_') for unit in units)}" if units[0] else "of that name"
            yield ["figures", figure, option], f"'{measure}' has no column '{column}' {kinds}; {fix}"


def against_the_loop(settings: dict):
    """Yield (keys, reason) of a trade-off of quantities that the loop does not ask for, or by the other goal."""
    for figure, options in settings["figures"].items():
        if method_of(figure) != "trade_off" or "acquire" not in settings:
            continue
        there = asked(settings["acquire"])
        if len(there) < 2:
            yield ["figures", figure], f"the loop asks for '{there[0]}' alone; add an objective or a constraint"
            continue
        for side, first in zip("xy", there, strict=False):
            name = options[side] or first
            goal = settings["acquire"]["objectives"].get(name, options[f"{side}_goal"])
            if name not in there:
                yield ["figures", figure, side], f"the loop asks for no '{name}'; {registry.suggest(name, there)}"
            elif goal != options[f"{side}_goal"]:
                yield ["figures", figure], f"the loop has to {goal} '{name}'; write {side}_goal: {goal}"


class Figures(Paths):
    """Inputs and parameters of the rules that draw."""

    def figure_needs(self, wildcards) -> dict:
        """Return the files behind a figure by name: one, or one for every method."""
        settings = self.studies[wildcards.study]
        found = paths.drawable(wildcards.study, settings)
        chosen = {
            need: found[outputs.named(need, settings, "quantify", wildcards.figure)]
            for need in FIGURES[method_of(wildcards.figure)]["needs"]
        }
        chosen |= {need: found[need] for need in FIGURES[method_of(wildcards.figure)].get("may", ()) if need in found}
        reference = settings["figures"][wildcards.figure].get("reference")
        if not reference:
            return chosen
        try:
            return {**chosen, "published": published(reference)}
        except (OSError, ValueError, KeyError) as error:
            refuse(wildcards.study, ["figures", wildcards.figure, "reference"], error)

    def figure_code(self, wildcards) -> str:
        """Digest the files behind a figure: script, style and the figure's own."""
        drawn = registry.entry(DRAWS, wildcards.figure)
        return closure.digest("scripts/figure.py", "figures/style.py", "figures/__init__.py", drawn)

    def figure_files(self, wildcards) -> list[str]:
        """List the files behind a figure."""
        return [
            path
            for found in self.figure_needs(wildcards).values()
            for path in (found.values() if isinstance(found, dict) else [found])
        ]

    def overlay_option(self, key: str) -> Callable:
        """Return a function of wildcards: an option of the overlays, which the report shows even if no figure does."""
        return self.figure_option("overlays", key)

    def figure_option(self, figure: str, key: str) -> Callable:
        """Return a function of wildcards: an option of a figure, its default where the study does not draw it."""
        default = study.read_schema("figures.schema.yaml")["properties"][figure]["properties"][key]["default"]
        return lambda wildcards: self.studies[wildcards.study]["figures"].get(figure, {}).get(key, default)

    def extremes(self, wildcards) -> list[str]:
        """Name the table whose lowest and highest items the overlays show: the main table, if it measures items."""
        settings = self.studies[wildcards.study]
        measure = study.main_table(settings).removesuffix(".csv")
        if measure not in settings["quantify"] or measure not in registry.table("matlens.quantify:METHODS"):
            return []
        return list(paths.drawable(wildcards.study, settings)[measure].values())[:1]  # the same items for every method

    def all_pictures(self) -> list[str]:
        """List the figures of all studies."""
        return [path for name, settings in self.studies.items() for path in pictures(name, settings)]

    def all_overlays(self) -> list[str]:
        """List the overlays of all studies."""
        return [path for name, settings in self.studies.items() for path in overlays(name, settings).values()]

    def contents(self) -> dict:
        """List the files that the report shows of every study."""
        return contents(self.studies)
