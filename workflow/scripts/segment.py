"""Label the images of one shard."""

from matlens.job import entry, workers
from matlens.segment import shard, trained
from matlens.store import io


def main(
    images: str, truth: str, method: str, options: dict, phases: list, labels: str, rejected: str,
    weights: str | list = (), card: str | list = (), detections: str | list = (), resources: dict | None = None,
) -> None:  # fmt: skip
    """Write a label image for every item that the method can label; a trained method takes weights and a card."""
    about = io.read_json(card) if weights else None
    model = trained.model(method, io.read_weights(weights), about, phases, options) if weights else None
    found = io.read_table(detections) if detections else None
    with (
        io.read_arrays(images) as pixels,
        io.read_arrays(truth) as truths,
        workers.workers(resources) as mapped,
        io.write_arrays(labels) as out,
    ):
        segmenter = shard.Segmenter(pixels, truths, method, options, phases, model, about, mapped, found)
        lost = shard.write(segmenter, out)
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
