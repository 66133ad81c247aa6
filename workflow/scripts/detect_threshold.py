"""Choose the threshold of a detection on the items with split `val`, or on those that are not held out."""

import contextlib

from matlens import detect, registry
from matlens.detect import scores, shard
from matlens.job import batch, entry
from matlens.store import io


def main(images: list, truth: list, index: str, method: str, options: dict, gate_px: float, card: str) -> None:
    """Write the threshold of highest F1 by centres, the items it was chosen on, and the curve; null without such."""
    function, table = registry.load(detect.METHODS, method), io.read_table(index)
    judging, found, used = registry.call(shard.judging, {"table": table}, options), [], []
    for image_file, truth_file in zip(images, truth, strict=True):
        with io.read_arrays(image_file) as pixels, io.read_arrays(truth_file) as truths:
            for key in pixels:
                item = {"key": key, **pixels.attrs(key)}
                if key not in judging or key not in truths or "z" in item["axes"]:
                    continue
                stack, true, ignore = shard.stacks(item, pixels, truths)
                with contextlib.suppress(batch.BadItem):  # the detection rejects this item, with the reason
                    found += list(shard.candidates(function, item, stack, true, ignore, options, gate_px))
                    used.append(item["item"])
    io.write_json(card, {"items": {"train": [], "val": used}, "gate_px": gate_px, **scores.best_threshold(found)})


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
