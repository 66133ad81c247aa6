"""Check settings for phases that a segmentation method cannot produce."""

from collections.abc import Mapping

MAKES = {"otsu": 2, "adaptive": 2}  # number of phases of methods with a fixed number
CLASSES = {"multi_otsu": 3, "kmeans": 2}  # methods with an option `classes`, and its default


def impossible(settings: Mapping) -> list[tuple[str, str]]:
    """List (key, reason) for each method that cannot produce the phases of the study.

    `settings`: those of a study, with `phases` and `segment` ({method: options}). Without this check, a method with
    fewer classes than phases would silently leave phases without pixels. If `truth_values` of the ingest name the
    phases of the masks, only those are required.
    """
    phases, found = list(settings.get("phases") or []), []
    for source in (settings.get("ingest") or {}).values():
        named = source.get("truth_values") if isinstance(source, Mapping) else None
        phases = [phase for phase in phases if phase in named] or phases if named else phases
    for name, options in (settings.get("segment") or {}).items():
        method, key = name.split(".")[0], f"segment.{name}"
        if (options or {}).get("leave_one_out") and (settings.get("propose") or {}).get("method") == name:
            why = "images are proposed by one model, and this makes one per value; propose by a method without it"
            found.append((f"{key}.leave_one_out", why))
        if settings.get("phases") and len(settings["phases"]) < MAKES.get(method, 0):
            why = f"makes {MAKES[method]} phases and the study names only '{phases[0]}'"
            found.append((key, f"{why}; name the darker one too: phases: [background, {phases[0]}]"))
        elif len(phases) > MAKES.get(method, len(phases)):
            why = f"makes {MAKES[method]} phases and the study has {len(phases)} ({', '.join(phases)})"
            found.append((key, f"{why}; use multi_otsu, kmeans or a trained method, or name two phases"))
        elif method in CLASSES and phases:
            found += _of_classes(key, {"classes": CLASSES[method], **(options or {})}, phases)
        elif (options or {}).get("output") == "instances" and len(settings.get("phases") or []) != 2:
            why = f"finds objects of one phase, and the study has {len(settings.get('phases') or [])}"
            found.append((f"{key}.output", f"{why}; name two phases, background and object"))
    return found


def _of_classes(key: str, options: Mapping, phases: list[str]) -> list[tuple[str, str]]:
    """List faults in the classes by brightness of a method."""
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
