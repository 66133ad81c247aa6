"""List the items of a study, once, before its shards are read."""

from matlens import columns, ingest, registry
from matlens.ingest import file_search, repeats, series, spreadsheet
from matlens.job import batch, entry
from matlens.store import io


def main(method: str, options: dict, plan: str, rejected: str) -> None:
    """Write the items in sorted order with their keys, and the rejected ones with their reasons."""
    found = registry.call(registry.load(ingest.PLANS, method), {}, options)
    wanted = columns.FILE if method == "sheet" else ""
    if note := spreadsheet.note_of_sheets(file_search.expanded(options.get("path") or ""), wanted=wanted):
        print(f"{options['path']}: {note}")
    found = found.sort_values(columns.ITEM, kind="stable", ignore_index=True)
    reasons = found.pop(columns.REASON) if columns.REASON in found else None
    bad = reasons.notna() if reasons is not None else found[columns.ITEM].isna()
    rows = [
        batch.rejection(item, "ingest", reason)
        for item, reason in zip(found[columns.ITEM][bad], reasons[bad] if reasons is not None else [], strict=True)
    ]
    items = found[~bad].reset_index(drop=True)
    items.insert(0, columns.KEY, range(len(items)))
    if columns.FILE in items and any(twins := repeats.same_as(items)):
        items[columns.SAME_AS] = twins
        print("\n".join(f"{a} and {b} are the same file" for a, b in zip(twins, items[columns.ITEM], strict=True) if a))
    if columns.FILE in items and method in ingest.METHODS and len(items):
        ranges = series.ranges(items[columns.FILE].tolist())
        items[[columns.GREY_LOW, columns.GREY_HIGH]] = [(one.low, one.high) for one in ranges]
        items[columns.GREY_NOTE] = [one.note or None for one in ranges]
        if mixed := series.depths(ranges):
            print(mixed)
    io.write_table(plan, items)
    io.write_rejected(rejected, rows)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
