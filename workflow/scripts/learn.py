"""Train a method on the labelled images of a study; write weights, model card and training history."""

import os
from pathlib import Path

from matlens import registry, segment
from matlens.job import entry
from matlens.segment import trained
from matlens.store import io


def samples(images: list, truth: list, roles: dict, options: dict):
    """Yield the training and validation samples of every shard, see `trained.samples`."""
    for pictures, answers in zip(images, truth, strict=True):
        with io.read_arrays(pictures) as pixels, io.read_arrays(answers) as marks:
            yield from trained.samples(pixels, marks, roles, options)


def main(
    images: list, truth: list, index: str, initial: str | list, method: str, options: dict, phases: list,
    weights: str, card: str, history: str,
) -> None:  # fmt: skip
    """Write the weights as safetensors, their card as JSON, and a row per epoch; a killed run resumes."""
    items = io.read_table(index).to_dict("records")
    roles = registry.call(trained.split, {"items": items}, options)
    checkpoint = Path(weights).with_name("checkpoint.safetensors")
    offered = {"samples": list(samples(images, truth, roles, options)), "phases": phases}
    offered |= {"method": registry.method_of(method), "options": options, "checkpoint": checkpoint}
    offered["initial"] = io.read_weights(initial) if initial else None
    arrays, about = registry.call(registry.load(segment.LEARNERS, method), offered, options)
    if os.environ.get("RANK", "0") != "0":
        return  # under torchrun the first process writes
    used = sorted({item for *_, item in offered["samples"]})
    about["training_images"] = trained.appearance_of(offered["samples"], items)
    io.write_table(history, trained.history_table(about.pop("history", [])))
    io.write_json(card, trained.completed(about, method, phases, roles, used, initial or None, options.get("of")))
    io.write_weights(weights, arrays)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
