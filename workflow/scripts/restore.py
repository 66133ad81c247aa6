"""Restore the images of one shard, and judge them."""

from matlens.job import batch, entry
from matlens.restore import frames, shard, trained
from matlens.store import io


def main(
    images: str, raw: str, method: str, options: dict, restored: str, quality: str, rejected: str,
    weights: str | list = (), card: str | list = (),
) -> None:  # fmt: skip
    """Write an image for every item that the method can restore, with all that is stored beside it, and its quality.

    `images`: what is restored; `raw`: the images of ingest, which the result is compared with; a trained method takes
    weights and a card.
    """
    about = io.read_json(card) if weights else None
    model = trained.model(method, io.read_weights(weights), about, options) if weights else None
    lost, rows = [], []
    with io.read_arrays(images) as pixels, io.read_arrays(raw) as first, io.write_arrays(restored, "lz4") as out:
        restorer = shard.Restorer(pixels, first, method, options, model, about)
        for item, (found, layers, attrs, judged) in batch.survive(
            pixels.described(), restorer, lost, f"restore/{method}"
        ):
            out.add(item["key"], found, item["axes"], attrs, layers)
            rows += judged
    io.write_table(quality, frames.table(rows))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
