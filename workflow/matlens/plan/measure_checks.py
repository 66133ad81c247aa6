"""Refusals of measures that every item would be rejected by: phases and boundaries that the labels do not have."""

from collections.abc import Mapping

from matlens import registry
from matlens.plan import outputs
from matlens.plan.structure import Reasons

# Segmentations that label phases whatever their options; others number regions, or an option decides.
PHASE_MAPS = ("otsu", "multi_otsu", "adaptive", "kmeans", "best_classical", "all_background")
REGION_PHASES = 2  # of a region map: background, and all regions


def check_measures(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse numbers of phases that the study does not have, boundaries that are no phase, and lines of three phases
    where there are two."""
    settings = studies[name]
    phases = settings["phases"]
    for measure in outputs.methods(settings, "quantify"):
        given, kind = settings["quantify"][measure] or {}, registry.method_of(measure)
        phase, boundary = given.get("phase"), given.get("boundary")
        if isinstance(phase, int) and phase >= max(len(phases), REGION_PHASES):
            known = ", ".join(f"{number} {each}" for number, each in enumerate(phases))
            yield ["quantify", measure, "phase"], f"there is no phase {phase}; phases are numbered from 0: {known}"
        if boundary and boundary not in phases:
            why = f"there is no phase '{boundary}'; {registry.suggest(boundary, phases)}"
            yield ["quantify", measure, "boundary"], why
        by = outputs.measured(settings, "quantify", measure)
        if not by or not all(registry.method_of(each) in PHASE_MAPS for each in by):
            continue
        if kind == "grain_size" and not boundary:
            why = f"'{by[0]}' labels phases, and does not number grains"
            fix = f"name the phase between grains: {{boundary: {phases[-1]}}}"
            yield ["quantify", measure], f"{why}; {fix}, or segment by boundary_grains, ebsd_grains or watershed"
        if kind == "tpb" and len(phases) < 3:
            why = f"three phases meet at these lines, and the study names {len(phases)}"
            yield ["quantify", measure], f"{why}; leave it out"
