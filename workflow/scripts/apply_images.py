"""Predict a property of images by trained networks of `predict_images`, of this study or another."""

import pandas as pd
from matlens import columns
from matlens.job import entry
from matlens.predict import cnn, properties
from matlens.store import io, pictures


def main(
    index: str, images: list, weights: str, card: str, predictions: str, rejected: str, device: str = "auto"
) -> None:
    """Write a row per flat image, in the columns of all models that are ready."""
    rows, about = io.read_table(index), io.read_json(card)
    table, pixels, lost = cnn.gathered(rows, pictures.flat(rows, images), about["options"]["size_px"])
    found = cnn.apply(pixels, io.read_weights(weights), about, device=device)
    half = found.pop("half_width_90")
    limits = {"low_90": found["predicted"] - half, "high_90": found["predicted"] + half}
    known = {
        columns.ITEM: table[columns.ITEM].astype(str),
        "property": about["target"],
        "unseen_elements": "",
        "interval_of": "",
    }
    io.write_table(predictions, pd.DataFrame({**known, **found, **limits})[list(properties.COLUMNS)])
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
