"""Choose the threshold of a detection on the items with split `val`."""

from matlens import detect, masked, registry
from matlens.detect import frames, scores, shard
from matlens.job import entry
from matlens.store import io


def main(images: list, truth: list, index: str, method: str, options: dict, gate_px: float, card: str) -> None:
    """Write the threshold of highest F1 by centres, the items it was chosen on, and the curve; null without such."""
    function, table = registry.load(detect.METHODS, method), io.read_table(index)
    found, used = [], []
    for image_file, truth_file in zip(images, truth, strict=True):
        with io.read_arrays(image_file) as pixels, io.read_arrays(truth_file) as truths:
            for key in shard.judging(table, pixels):
                item = {"key": key, **pixels.attrs(key)}
                if key not in truths or "z" in item["axes"]:
                    continue
                stack = frames.planes(pixels.unit_interval(key), item["axes"])
                true = frames.planes(truths[key], item["axes"])
                ignore = frames.planes(pixels.layers(key, [masked.IGNORE]).get(masked.IGNORE), item["axes"])
                found += shard.candidates(function, item, stack, true, ignore, options, gate_px)
                used.append(item["item"])
    io.write_json(card, {"items": used, "gate_px": gate_px, **scores.best_threshold(found)})


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
