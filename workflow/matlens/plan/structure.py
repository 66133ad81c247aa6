"""Find sections of a study that are valid alone and wrong together, as (keys, reason)."""

from collections.abc import Iterator

from matlens.learn import features
from matlens.plan import outputs
from matlens.plan.stages import STAGES
from matlens.registry import suggest

Reasons = Iterator[tuple[list, str]]


def disagreements(study: dict) -> Reasons:
    """Yield contradictions between the sections of a study."""
    methods = [key for key in study["ingest"] if key != "shards"]
    if len(methods) != 1:
        found = f"found {', '.join(methods)}" if methods else "found none"
        yield (
            ["ingest"],
            f"a study has exactly one ingest method; {found}. Put further sources into studies of their own",
        )
        return
    if (name := study["main_table"].removesuffix(".csv")) and name not in (there := outputs.tables(study)):
        yield ["main_table"], f"this study writes no table '{name}'; {suggest(name, there)}"
    for stage, about in STAGES.items():
        if study.get(stage) and about.of and not any(outputs.methods(study, source) for source in about.of):
            yield [stage], f"'{stage}' works on what '{about.of[0]}' makes; add a '{about.of[0]}' section"
    if "predict" in study:
        yield from _predict(study, study["predict"])


def _predict(study: dict, settings: dict) -> Reasons:
    """Yield where the features of a prediction are not outputs of the study."""
    if settings["labels"] and settings["labels"] not in study["segment"]:
        yield (
            ["predict", "labels"],
            f"'{settings['labels']}' is no method of 'segment'; {suggest(settings['labels'], study['segment'])}",
        )
    for feature in settings["features"]:
        origin = features.origin(feature, study["quantify"])[0]
        allowed = [*features.OF_INDEX, *study["quantify"]]
        if origin not in allowed:
            yield (
                ["predict", "features"],
                f"'{feature}': no measure '{origin}' in this study; {suggest(origin, allowed)}",
            )
