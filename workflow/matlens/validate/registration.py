"""Hand candidates over to an engine, and list the folders with their checksums."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from matlens import registry, validate
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.validate import engine_inputs, handoff

COLUMNS = ("item", "slug", "formula", "engine", "settings", "inputs", "sha256", "reason", "composition", "predicted")


def hand_over(chosen: list, known: Mapping, method: str, options: Mapping, accept: Mapping, folder: Path):
    """Write one folder per candidate; returns a table with checksums, or the reason if there is no folder.

    chosen: candidates as `engine_inputs.describe` returns them. known: crystals by item. accept: limits of the study.
    """
    prepare, judge = (registry.load(table, method) for table in (validate.HANDOFFS, validate.JUDGES))
    seen, rows, inputs = {}, [], registry.inputs_of(prepare)
    for candidate in batch.counted(chosen, len(chosen), f"handoff/{method}"):
        slug, item = candidate["name"], candidate["item"]
        row = {"item": item, "slug": slug, "formula": candidate["formula"], "engine": method}
        row |= {name: json.dumps(candidate[name], sort_keys=True) for name in ("composition", "predicted")}
        try:
            prepared = registry.call(prepare, engine_inputs.of(candidate, known, inputs), options)
            complete = handoff.promised(prepared, judge, options, accept)
            row["sha256"], row["inputs"] = handoff.write(folder / slug, complete, seen)
            row["settings"] = handoff.fingerprint(complete.settings)
            if complete.manifest.get("note"):
                print(f"{item}: {complete.manifest['note']}")
        except BadItem as error:
            row["reason"] = " ".join(str(error).split())
            print(f"{item}: {error}")
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).fillna("").astype(str)
