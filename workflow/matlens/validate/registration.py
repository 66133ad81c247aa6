"""Hand candidates over to an engine, and list the folders with their checksums."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from matlens import registry, validate
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.validate import engine_inputs, handoff, references

COLUMNS = (
    "item", "slug", "formula", "engine", "settings", "inputs", "sha256", "reason", "composition", "predicted",
    "reference",
)  # fmt: skip


def hand_over(
    chosen: list, known: Mapping, method: str, options: Mapping, accept: Mapping, folder: Path,
    add_elements: bool | None = False,
):  # fmt: skip
    """Write one folder per candidate; returns a table with checksums, or the reason if there is no folder.

    chosen: candidates as `engine_inputs.describe` returns them. known: crystals by item. accept: limits of the study.
    add_elements: whether the elements of compounds follow as references; None: if a limit needs them. `settings`:
    fingerprints by element, as JSON; `reference`: "true" for an element that was added.
    """
    prepare, seen, rows, done = registry.load(validate.HANDOFFS, method), {}, [], []
    for candidate in batch.counted(chosen, len(chosen), f"handoff/{method}"):
        row, settings = _one(candidate, known, method, options, accept, folder, seen)
        rows.append(row)
        done += [(candidate, settings)] if settings else []
    if references.asked(accept, add_elements, validate.STABILITY) and "crystal" in registry.inputs_of(prepare):
        for one in references.wanted(done, prepare, options):
            built = references.crystal(one.candidate, chosen, known)
            row, _ = _one(
                one.candidate, {one.candidate["item"]: built} if built else {}, method, one.options, {}, folder, seen
            )
            lacks = {} if built else {"reason": references.unknown(one.candidate["formula"])}
            rows.append({**row, **lacks, "reference": "true"})
    return pd.DataFrame(rows, columns=list(COLUMNS)).fillna("").astype(str)


def _one(candidate: dict, known: Mapping, method: str, options: Mapping, accept: Mapping, folder: Path, seen: dict):
    """Write the folder of a candidate; returns its row, and the settings of its energies ({} without a folder)."""
    prepare, judge = (registry.load(table, method) for table in (validate.HANDOFFS, validate.JUDGES))
    slug, item = candidate["name"], candidate["item"]
    row = {"item": item, "slug": slug, "formula": candidate["formula"], "engine": method}
    row |= {name: json.dumps(candidate[name], sort_keys=True) for name in ("composition", "predicted")}
    try:
        prepared = registry.call(prepare, engine_inputs.of(candidate, known, registry.inputs_of(prepare)), options)
        complete = handoff.promised(prepared, judge, options, accept)
        row["sha256"], row["inputs"] = handoff.write(folder / slug, complete, seen)
    except BadItem as error:
        row["reason"] = " ".join(str(error).split())
        print(f"{item}: {error}")
        return row, {}
    row["settings"] = json.dumps(references.energies(complete.settings, candidate["composition"]), sort_keys=True)
    if complete.manifest.get("note"):
        print(f"{item}: {complete.manifest['note']}")
    return row, complete.settings
