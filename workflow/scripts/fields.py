"""Compute the fields of one shard."""

from matlens import fields as room
from matlens.fields import cells, shard
from matlens.job import entry
from matlens.store import io


def main(
    images: str, labels: str, method: str, options: dict, settings: dict, phases: list,
    fields: str, effective: str, field_quality: str, hot_spots: str, costs: str, rejected: str,
    truths: str | list = (), weights: str | list = (), card: str | list = (), solver: dict | None = None,
) -> None:  # fmt: skip
    """Write the field of every item that can be solved, its effective values, its quality and its hot spots."""
    model = shard.model(method, io.read_weights(weights), io.read_json(card), options) if weights else None
    solver = shard.Solver(room.METHODS, method, options, settings, phases, model, solver or options)
    with (
        io.read_arrays(images) as pixels,
        io.read_arrays(labels) as marks,
        shard.opened(truths) as known,
        io.write_arrays(fields, "lz4") as out,
    ):
        done, lost = shard.write(solver, marks, known, pixels, out)
    io.write_table(effective, cells.table([row for one in done for row in one.effective], cells.EFFECTIVE))
    io.write_table(field_quality, cells.table([row for one in done for row in one.quality], cells.QUALITY))
    io.write_table(hot_spots, cells.table([row for one in done for row in one.hot_spots], cells.HOT_SPOTS))
    io.write_table(costs, cells.table([row for one in done for row in one.costs], cells.COSTS))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
