"""Detect objects in the items of one shard, and score them where the truth is known."""

from matlens import detect, registry
from matlens.detect import scores as measures
from matlens.detect import shard
from matlens.job import batch, entry
from matlens.store import io


def main(
    images: str, truth: str, index: str, method: str, options: dict, phases: list, scores: dict, outputs: dict,
    card: str | list = (), weights: str | list = (),
) -> None:  # fmt: skip
    """Write a row per detection and per missed object, and the scores of the method and the controls beside it."""
    function, lost = registry.load(detect.METHODS, method), []
    about = shard.described(io.read_json(card) if card else None, options)
    model = shard.model(method, io.read_weights(weights), about, options) if weights else None
    chosen, remark = shard.chosen(options, about)
    with io.read_arrays(images) as pixels, io.read_arrays(truth) as truths:

        def work(item: dict):
            stack, true, ignore = shard.stacks(item, pixels, truths, "labels" in registry.inputs_of(function))
            given = function, item["key"], stack, true, ignore
            found, order = shard.detected(*given, chosen, model), []
            if true is not None:
                more = shard.detected(*given, shard.unsure(method, found, chosen), model)
                order = measures.ranked(more, true, **scores)
            named = shard.named(item, truths, true, phases)
            rows = shard.scored(found, item["key"], stack, true, ignore, scores, named)
            return *shard.judged(found, true, scores["gate_px"]), rows, order

        done = list(batch.survive(pixels.described(), work, lost, f"detect/{method}"))
    for name, table in shard.tables(done, io.read_table(index), about, phases, remark).items():
        io.write_table(outputs[name], table)
    io.write_rejected(outputs["rejected"], lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
