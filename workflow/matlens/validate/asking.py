"""Ask one engine for verdicts on a shortlist in this process: the step that a loop of acquisition repeats."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from matlens import columns, registry, validate
from matlens.job import batch
from matlens.job.batch import BadItem
from matlens.thermo import quantities
from matlens.validate import (
    ACCEPTED,
    FAILED,
    PENDING,
    REJECTED,
    candidates,
    collect_results,
    engine_inputs,
    handoff,
    references,
    verdicts,
)

ALL = "computed"  # reason of a verdict of CALPHAD that all databases agree to give


def ask(engine: str, shortlist, index, crystals: Mapping, options: dict, names: list[str], folder: Path | None = None):
    """Return the table of verdicts of an engine on a shortlist.

    shortlist: DataFrame with item, rank, score and reason. index: DataFrame of all items. crystals: Crystal by item.
    names: quantities that are asked for. folder: where hand-offs are written, for engines outside this process.
    """
    if not len(shortlist):
        return verdicts.table([])
    chosen = candidates.choose(index, [shortlist], None) if engine not in validate.TABLES else _rows(index, shortlist)
    if engine in validate.TABLES:
        return registry.load(validate.BATCHES, engine)(chosen, quantities=names)[0]
    if engine in validate.BATCHES:
        return _judged_by_all(registry.load(validate.BATCHES, engine)(chosen, **options)[0], options, names)
    every = engine_inputs.describe(chosen, {"": shortlist})
    outcomes, sums = (_hand_over if engine in validate.HANDOFFS else _here)(engine, every, crystals, options, folder)
    shares = {one["item"]: one["composition"] for one in every}
    verdicts.add_formation(outcomes, shares, {item: settings for item, (settings, _) in sums.items()})
    made = []
    for one in every:
        made += verdicts.rows(one, engine, _trusted(outcomes[one["item"]], names), sums[one["item"]][1])
    return verdicts.table(made)


def _rows(index, shortlist):
    """Return the rows of the index that a shortlist names."""
    return index[index[columns.ITEM].isin(set(shortlist[columns.ITEM]))].reset_index(drop=True)


def _trusted(outcome: dict, names: list[str]) -> dict:
    """Keep the values of an accepted outcome alone: nothing is learned from a rejected calculation.

    An outcome without one of `names` has failed.
    """
    if outcome.get("status", ACCEPTED) != ACCEPTED:
        return {**outcome, "values": {}}
    lacking = [name for name in names if name not in (outcome.get("values") or {})]
    if not lacking:
        return outcome
    return {"status": FAILED, "reason": f"the engine computes no {', '.join(lacking)} for it", "values": {}}


def _here(engine: str, every: list[dict], crystals: Mapping, options: dict, folder) -> tuple[dict, dict]:
    """Run an engine of this process; returns outcomes and (settings, checksum), by item."""
    function, lost = registry.load(validate.METHODS, engine), []
    wanted = registry.inputs_of(function)

    def work(one: dict) -> dict:
        return registry.call(function, engine_inputs.of(one, crystals, wanted), options)

    found = {one["item"]: outcome for one, outcome in batch.survive(every, work, lost, f"validate/{engine}")}
    found |= {row[columns.ITEM]: {"status": FAILED, "reason": row["reason"], "values": {}} for row in lost}
    checksum = handoff.fingerprint({"engine": engine, "options": options})
    return found, {one["item"]: ({}, checksum) for one in every}


def _hand_over(engine: str, every: list[dict], crystals: Mapping, options: dict, folder) -> tuple[dict, dict]:
    """Write, run if the program is here, and judge the folders of candidates.

    Results that are in the folders are kept. Returns outcomes and (settings, checksum), by item.
    """
    prepare, judge = (registry.load(table, engine) for table in (validate.HANDOFFS, validate.JUDGES))
    program, asked, wanted = validate.PROGRAMS.get(engine), options.get("run"), registry.inputs_of(prepare)
    here = {**options, "run": bool(program and shutil.which(program)) if asked is None else asked}
    found, sums, seen = {}, {}, {}
    for one in batch.counted(every, len(every), f"validate/{engine}"):
        place = Path(folder) / one["name"]
        try:
            made = registry.call(prepare, engine_inputs.of(one, crystals, wanted), options)
        except BadItem as error:
            found[one["item"]] = {"status": FAILED, "reason": str(error), "values": {}}
            sums[one["item"]] = ({}, "")
            continue
        sha256, inputs = handoff.write(place, handoff.promised(made, judge, options, {}), seen)
        print(f"{one['item']}: {registry.call(collect_results.run, {'folder': place}, here)}")
        found[one["item"]] = collect_results.outcome(
            place, {"sha256": sha256, "reason": ""},
            lambda manifest, results: registry.call(judge, {"manifest": manifest, "results": results}, options),
        )  # fmt: skip
        sums[one["item"]] = (references.energies(made.settings, one["composition"]), inputs)
    return found, sums


def _judged_by_all(table, options: Mapping, names: list[str]):
    """Make the verdicts of CALPHAD those of a loop: a value counts if every database gives it.

    A candidate is accepted if all databases give all values, rejected if every value that is missing is of a phase
    that never forms, failed otherwise. A quantity that a database does not give has no value.
    """
    databases = [one["database"] for one in options["databases"]]
    table = table[(table["quantity"] == "") | table["quantity"].isin(names)].copy()
    missing = [
        [part for part in reason.split("; ") if any(part.startswith(f"{one}: ") for one in databases)]
        for reason in table["reason"]
    ]
    lost = np.array([bool(parts) for parts in missing]) & (table["quantity"] != "").to_numpy()
    table.loc[lost, ["value", "uncertainty"]] = np.nan
    said: dict[str, list[str]] = {item: [] for item in table[columns.ITEM]}
    for item, parts in zip(table[columns.ITEM], missing, strict=True):
        said[item] += parts
    status = {item: _status(parts, databases) for item, parts in said.items()}
    reasons = {item: "; ".join(dict.fromkeys(parts)) or ALL for item, parts in said.items()}
    return table.assign(status=table[columns.ITEM].map(status), reason=table[columns.ITEM].map(reasons))


def _status(parts: list[str], databases: list[str]) -> str:
    """Return the status of a candidate from all that its databases could not give."""
    if not parts:
        return ACCEPTED
    absent = all(any(part.startswith(f"{one}: {quantities.ABSENT}") for one in databases) for part in parts)
    return REJECTED if absent else FAILED


def awaited(table) -> int:
    """Count the candidates of a table of verdicts whose results are not back."""
    return int(table.loc[table["status"] == PENDING, columns.ITEM].nunique())
