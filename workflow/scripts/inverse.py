"""Search for the conditions whose images are like held-back ones, by the latent numbers of a network."""

import pandas as pd
from matlens import generate as stage
from matlens import registry
from matlens.generate import examples, inverse, statistics
from matlens.job import entry
from matlens.learn import lessons
from matlens.store import io


def main(
    labels: list, images: list, index: str, weights: str, card: str, method: str, options: dict, settings: dict,
    latent: str, picked: str, inverted: str,
) -> None:  # fmt: skip
    """Write the latent numbers of the real images, the chosen conditions, and the errors of the round trips."""
    items, names = io.read_table(index).to_dict("records"), settings["conditions"]
    found = list(lessons.samples("generate", labels, images, {"rows": items, "options": settings}, settings))
    real = examples.collected(found, registry.call(examples.item_roles, {"items": items}, settings), settings)
    given = {"arrays": io.read_weights(weights), "card": io.read_json(card)}
    model = registry.call(registry.load(stage.PREPARES, method), given, options)
    codes = registry.load(stage.CODERS, method)(real.labels, real.conditions, model)
    measured = statistics.of_set(real.labels, settings["phase"], ["fraction", "two_point"], settings["periodic"])
    features = {"latent": codes, "two_point": measured["two_point"]}
    asked = names, settings["picks"], settings["targets"]
    table = pd.DataFrame(inverse.search(real, measured["fraction"], features, *asked))
    numbers = pd.DataFrame(codes, columns=[f"latent_{k + 1}" for k in range(codes.shape[1])])
    about = {"item": real.items, "split": real.roles, "measured_fraction": measured["fraction"]}
    io.write_table(latent, pd.concat([pd.DataFrame(about), numbers], axis=1))
    io.write_table(picked, table)
    io.write_table(inverted, inverse.summary(table, real, measured["fraction"], features, "latent"))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
