"""Detect objects in the items of one shard, and score them where the truth is known."""

from matlens import columns, detect, masked, registry
from matlens.detect import frames, shard
from matlens.job import batch, entry
from matlens.store import io


def main(
    images: str,
    truth: str,
    index: str,
    method: str,
    options: dict,
    phases: list,
    scores: dict,
    detections: str,
    missed: str,
    detection_scores: str,
    rejected: str,
    card: str | list = (),
) -> None:
    """Write a row per detection and per missed object, and the scores of the method and the controls beside it."""
    function, lost = registry.load(detect.METHODS, method), []
    chosen, remark = shard.chosen(options, io.read_json(card) if card else None)
    split = shard.splits(io.read_table(index))
    with io.read_arrays(images) as pixels, io.read_arrays(truth) as truths:

        def work(item: dict):
            key, axes = item["key"], item["axes"]
            stack = frames.planes(pixels.unit_interval(key), axes)
            true = frames.planes(truths.get(key), axes)
            ignore = frames.planes(pixels.layers(key, [masked.IGNORE]).get(masked.IGNORE), axes)
            found = shard.detected(function, key, stack, true, ignore, chosen)
            rows = shard.scored(found, key, stack, true, scores)
            return *shard.judged(found, true, scores["gate_px"]), rows

        items = [{"key": key, **pixels.attrs(key)} for key in pixels]
        tables, rows, lacking = [], [], {}
        for item, (found, objects, judged) in batch.survive(items, work, lost, f"detect/{method}"):
            tables.append(frames.table(item, found, phases[min(1, len(phases) - 1)]))
            lacking[item[columns.ITEM]] = objects
            head = {columns.ITEM: item[columns.ITEM], columns.SPLIT: split.get(item[columns.ITEM], "")}
            rows += [head | row | {columns.REMARK: remark} for row in judged]
    io.write_table(detections, shard.stack(tables))
    io.write_table(missed, shard.missed_table(lacking))
    io.write_table(detection_scores, shard.score_table(rows, {i["item"]: i["pixel_size_um"] for i in items}))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
