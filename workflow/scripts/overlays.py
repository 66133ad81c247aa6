"""Draw the labels of some items over their images."""

from matlens import columns
from matlens.job import entry
from matlens.learn import lessons
from matlens.report import overlay, shard
from matlens.store import io


def main(
    images: list, labels: list, truth: list, plan: str, index: str, most: int, width_px: int, overlays: str,
    phases: list = (), table: str | list = (), learned: list = (),
) -> None:  # fmt: skip
    """Write a zip of pictures: `{key}.png`, and `{key}.large.jpg` and `{key}.thumb.jpg` for the report.

    The items are the same for every method: the extremes of `table`, a table of measures, and others at random; first
    those that no method of `learned` (stage and options) learned from.
    """
    listed = io.read_table(index)
    items = dict(zip(listed[columns.ITEM], listed[columns.KEY].tolist(), strict=True))
    values = shard.main_values(io.read_table(table) if table else None, items)
    ranks = lessons.ranks(listed.to_dict("records"), learned)
    chosen = overlay.first_chosen({items[item]: rank for item, rank in ranks.items()}, values, most)
    total = len(io.read_table(plan))
    io.write_bytes_zip(overlays, shard.draw(chosen, total, images, labels, truth, phases, width_px))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
