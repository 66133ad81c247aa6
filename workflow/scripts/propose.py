"""Propose images or patches to label next: those where a trained method is least certain."""

from matlens import columns, registry, segment
from matlens.job import entry
from matlens.segment import trained, weak
from matlens.store import io


def unsure(images: list, method: str, options: dict, model, learned: set):
    """Yield (item, probabilities) of every flat image that was not learned from."""
    function = registry.load(segment.PROBABILITIES, method)
    for path in images:
        with io.read_arrays(path) as pixels:
            for key in pixels:
                about = pixels.attrs(key)
                if about["axes"] == "yx" and about[columns.ITEM] not in learned:
                    offered = {"image": pixels.unit_interval(key), "model": model, "colour": pixels.colour(key)}
                    yield about[columns.ITEM], registry.call(function, offered, options)


def main(
    images: list, weights: str, card: str, method: str, options: dict, settings: dict, phases: list, table: str
) -> None:
    """Write the ranking: images, or patches of them, the least sure first."""
    about = io.read_json(card)
    model = trained.model(method, io.read_weights(weights), about, phases, options)
    found = weak.propose(unsure(images, method, options, model, set(about["items"]["train"])), **settings)
    io.write_csv(table, found)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
