"""What a segmentation method cannot make, seen from the settings of a study alone."""

from collections.abc import Mapping

MAKES = {"otsu": 2, "adaptive": 2}  # phases that a method makes, whatever its options
CLASSES = {"multi_otsu": 3, "kmeans": 2}  # methods with an option `classes`, and its default


def impossible(settings: Mapping) -> list[tuple[str, str]]:
    """List (key, reason) for each method of a study that cannot make the phases of the study.

    `settings`: those of a study, with `phases` and `segment` ({method: options}). A method that makes fewer classes
    than there are phases would leave phases without a pixel in silence. Where `truth_values` of the ingest name the
    phases of the masks, only those are asked for.
    """
    phases, found = list(settings.get("phases") or []), []
    for source in (settings.get("ingest") or {}).values():
        named = source.get("truth_values") if isinstance(source, Mapping) else None
        phases = [phase for phase in phases if phase in named] if named else phases
    for name, options in (settings.get("segment") or {}).items():
        method, key = name.split(".")[0], f"segment.{name}"
        if len(phases) > MAKES.get(method, len(phases)):
            why = f"makes {MAKES[method]} phases and the study has {len(phases)} ({', '.join(phases)})"
            found.append((key, f"{why}; use multi_otsu, kmeans or a method that learns, or name two phases"))
        elif method in CLASSES and phases:
            found += _of_classes(key, {"classes": CLASSES[method], **(options or {})}, phases)
    return found


def _of_classes(key: str, options: Mapping, phases: list[str]) -> list[tuple[str, str]]:
    """List what is wrong with the classes of a method by brightness."""
    table = options.get("phase_of_class")
    made = set(range(options["classes"])) if table is None else set(table)
    found = [
        (f"{key}.classes", f"no class becomes '{phase}'; set classes: {len(phases)}, or map classes by phase_of_class")
        for number, phase in enumerate(phases)
        if number not in made
    ][:1]
    if max(made) >= len(phases):
        why = f"a class becomes phase {max(made)}, and the study has phases 0 to {len(phases) - 1}"
        found.append((f"{key}.classes", f"{why}; name more phases, or map the classes by phase_of_class"))
    return found
