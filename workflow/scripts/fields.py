"""Solve for the fields of one shard."""

from matlens import fields as room
from matlens import registry
from matlens.fields import cells
from matlens.job import batch, entry
from matlens.store import io


def main(
    labels: str, method: str, options: dict, settings: dict, phases: list,
    fields: str, effective: str, field_quality: str, hot_spots: str, rejected: str,
) -> None:  # fmt: skip
    """Write the field of every item that can be solved, its effective values, its quality and its hot spots."""
    function, lost, done = registry.load(room.METHODS, method), [], []
    with io.read_arrays(labels) as marks, io.write_arrays(fields, "lz4") as out:

        def work(item: dict) -> cells.Solved:
            spacing = io.spacing_ratio(item, item["axes"])
            return cells.solved(marks[item["key"]], item, function, method, spacing, options, settings, phases)

        for item, found in batch.survive(marks.described(), work, lost, f"fields/{method}"):
            layers = {"labels": marks[item["key"]]}
            out.add(item["key"], found.array, "c" + item["axes"], item | found.attrs, layers)
            done.append(found._replace(array=None))
    io.write_table(effective, cells.table([row for one in done for row in one.effective], cells.EFFECTIVE))
    io.write_table(field_quality, cells.table([row for one in done for row in one.quality], cells.QUALITY))
    io.write_table(hot_spots, cells.table([row for one in done for row in one.hot_spots], cells.HOT_SPOTS))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
