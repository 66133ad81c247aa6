"""Hand candidates over to an engine: a self-contained folder for each."""

import json
from pathlib import Path

import pandas as pd
from matlens import registry, validate
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.job.batch import BadItem
from matlens.store import io
from matlens.validate import candidates, engine_inputs, handoff

COLUMNS = ("item", "slug", "formula", "engine", "settings", "inputs", "sha256", "reason", "composition", "predicted")


def main(
    index: str, shortlists: list, structures: list, method: str, options: dict, most: int | None, accept: dict,
    handoffs: str,
) -> None:  # fmt: skip
    """Write the folders beside the registry, which says of each its checksums, or why there is none."""
    known = crystals.by_item(crystals.from_arrays(io.read_ragged(path)) for path in structures)
    ranked = {path: io.read_table(path) for path in shortlists}
    chosen = engine_inputs.describe(candidates.choose(io.read_table(index), list(ranked.values()), most), ranked)
    prepare, judge = (registry.load(table, method) for table in (validate.HANDOFFS, validate.JUDGES))
    seen, made, wanted = {}, [], registry.inputs_of(prepare)
    for one in batch.counted(chosen, len(chosen), f"handoff/{method}"):
        row = {"item": one["item"], "slug": one["name"], "formula": one["formula"], "engine": method}
        row |= {name: json.dumps(one[name], sort_keys=True) for name in ("composition", "predicted")}
        try:
            made_of = registry.call(prepare, engine_inputs.of(one, known, wanted), options)
            what = handoff.promised(made_of, judge, options, accept)
            row["sha256"], row["inputs"] = handoff.write(Path(handoffs).parents[1] / one["name"], what, seen)
            row["settings"] = handoff.fingerprint(what.settings)
            if what.manifest.get("note"):
                print(f"{one['item']}: {what.manifest['note']}")
        except BadItem as error:
            row["reason"] = " ".join(str(error).split())
            print(f"{one['item']}: {error}")
        made.append(row)
    io.write_table(handoffs, pd.DataFrame(made, columns=list(COLUMNS)).fillna("").astype(str))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
