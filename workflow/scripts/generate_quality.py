"""Compare generated images with real ones."""

import numpy as np
from matlens import registry
from matlens.generate import examples, picture, work
from matlens.job import entry
from matlens.learn import lessons
from matlens.store import io


def main(
    labels: list, images: list, index: str, truth: str, made: str, generated: str, settings: dict,
    generation_quality: str, samples: str, card: str | list = (),
) -> None:  # fmt: skip
    """Write the rows of the quality, and pictures of some generated images beside the nearest training image."""
    items, table = io.read_table(index).to_dict("records"), io.read_table(generated)
    offered = {"rows": items, "options": settings}
    found = list(lessons.samples("generate", labels, images, offered, settings))
    real = examples.collected(found, registry.call(examples.item_roles, {"items": items}, settings), settings)
    with io.read_arrays(truth) as marks, io.read_arrays(made) as pixels:
        stack = np.stack([marks[key] for key in marks]) if len(marks) else real.labels[:0]
        pictures = {f"{key:08d}.png": picture.pair(pixels[key], table.iloc[key], real) for key in picture.some(table)}
    io.write_bytes_zip(samples, pictures)
    rows = work.judged(stack, table, real, settings, io.read_json(card) if card else None)
    io.write_table(generation_quality, work.quality_table(rows))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
