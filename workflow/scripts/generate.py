"""Generate images with labels for every condition of a study."""

from matlens import generate as stage
from matlens import registry
from matlens.generate import examples, work
from matlens.job import entry
from matlens.learn import lessons
from matlens.store import io


def main(
    labels: list, images: list, index: str, method: str, options: dict, settings: dict, phases: list,
    made: str, truth: str, generated: str, rejected: str, weights: str | list = (), card: str | list = (),
) -> None:  # fmt: skip
    """Write images and labels in the format of ingest, and a row for every one of them."""
    items, lost, rows = io.read_table(index).to_dict("records"), [], []
    offered = {"rows": items, "options": settings, "lost": lost}
    samples = list(lessons.samples("generate", labels, images, offered, settings))
    real = examples.collected(samples, registry.call(examples.item_roles, {"items": items}, settings), settings)
    model = None
    if weights:
        prepare = registry.load(stage.PREPARES, method)
        model = registry.call(prepare, {"arrays": io.read_weights(weights), "card": io.read_json(card)}, options)
    given = (registry.load(stage.METHODS, method), real, model, settings, options, phases, f"generate/{method}", lost)
    with io.write_arrays(made, "lz4") as pixels, io.write_arrays(truth) as marks:
        for found in work.generated(*given):
            for row, image, mark in zip(found.rows, found.images, found.labels, strict=True):
                axes = "zyx"[-image.ndim :]
                scale = work.spacing(items, real, model and model.card, axes)
                about = {"item": row["item"], "spacing_um": scale, "pixel_size_um": scale and scale[-1]}
                about |= {"intensity_low": 0.0, "intensity_high": 1.0}
                pixels.add(len(rows), image, axes, about)
                marks.add(len(rows), mark, axes, about)
                rows.append(row)
    io.write_table(generated, work.table(rows, settings))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
