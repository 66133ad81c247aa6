"""Restore the images of one shard, and judge them."""

from matlens import columns, masked, registry, restore
from matlens.job import batch, entry
from matlens.restore import frames
from matlens.store import io


def main(images: str, raw: str, method: str, options: dict, restored: str, quality: str, rejected: str) -> None:
    """Write an image for every item that the method can restore, with all that is stored beside it, and its quality.

    `images`: what is restored; `raw`: the images of ingest, which the result is compared with.
    """
    function, lost, rows = registry.load(restore.METHODS, method), [], []
    with io.read_arrays(images) as pixels, io.read_arrays(raw) as first, io.write_arrays(restored, "lz4") as out:

        def work(item: dict) -> tuple:
            layers = pixels.layers(item["key"])
            ignore, clean = (layers.get(name) for name in (masked.IGNORE, columns.CLEAN))
            found = frames.restored(function, item["axes"], frames.filled(pixels[item["key"]], ignore), options)
            before = frames.filled(first[item["key"]], ignore)
            clean = None if clean is None else frames.filled(clean, ignore)
            return found, layers, frames.judged(item, before, found, clean)

        for item, (found, layers, judged) in batch.survive(pixels.described(), work, lost, f"restore/{method}"):
            out.add(item["key"], found, item["axes"], pixels.attrs(item["key"]), layers)
            rows += judged
    io.write_table(quality, frames.table(rows))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
