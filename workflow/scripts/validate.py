"""Judge the results in the folders of an engine, whoever ran them."""

import json
from functools import partial
from pathlib import Path

from matlens import registry, validate
from matlens.job import entry
from matlens.store import io
from matlens.validate import collect_results, verdicts


def main(
    handoffs: str, method: str, options: dict, accept: dict, asked: str, verdicts_: str, timings: str, seen: str
) -> None:
    """Write a verdict on every candidate, the times that its run took, and which results were seen."""
    folder = Path(handoffs).parents[1]
    digest, handed = collect_results.digest(folder), io.read_table(handoffs).to_dict("records")
    judge = partial(registry.call, registry.load(validate.JUDGES, method), options=options)
    outcomes, spent = {}, []
    for row in handed:
        place = folder / row["slug"]
        outcomes[row["item"]] = collect_results.outcome(place, row, lambda m, r: judge({"manifest": m, "results": r}))
        spent.append({"item": row["item"], "engine": method, **collect_results.spent(place)})
    parts = {row["item"]: json.loads(row["composition"]) for row in handed}
    verdicts.add_formation(outcomes, parts, {row["item"]: json.loads(row["settings"] or "{}") for row in handed})
    made = []
    for row in handed:
        known = {"item": row["item"], "predicted": json.loads(row["predicted"])}
        outcome = verdicts.meet(outcomes[row["item"]], {} if row["reference"] else accept)
        made += verdicts.rows(known, method, outcome, row["inputs"])
    table = verdicts.table(made)
    print(table.drop_duplicates("item")["status"].value_counts().to_string())
    io.write_table(verdicts_, table)
    io.write_table(timings, verdicts.timings(spent))
    io.write_json(seen, {"digest": digest, "asked": asked})


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
