"""Detect objects in the items of one shard, and score them where the truth is known."""

from matlens import detect, registry
from matlens.detect import shard
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
    outputs: dict,
    card: str | list = (),
) -> None:
    """Write a row per detection and per missed object, and the scores of the method and the controls beside it."""
    function, lost = registry.load(detect.METHODS, method), []
    chosen, remark = shard.chosen(options, io.read_json(card) if card else None)
    with io.read_arrays(images) as pixels, io.read_arrays(truth) as truths:

        def work(item: dict):
            stack, true, ignore = shard.stacks(item, pixels, truths)
            found = shard.detected(function, item["key"], stack, true, ignore, chosen)
            rows = shard.scored(found, item["key"], stack, true, scores)
            return *shard.judged(found, true, scores["gate_px"]), rows

        done = list(batch.survive(pixels.described(), work, lost, f"detect/{method}"))
    for name, table in shard.tables(done, io.read_table(index), phases, remark).items():
        io.write_table(outputs[name], table)
    io.write_rejected(outputs["rejected"], lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
