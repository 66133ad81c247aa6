"""Items in = items out for every stage that works on images: each item is kept, or rejected with a reason."""

import sys
from pathlib import Path

import numpy as np
import pytest
from matlens import columns
from matlens.detect import summary
from matlens.plan import study
from matlens.store import io

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

PHASES = ["matrix", "particle"]
ITEMS = ["discs", "flat", "line", "small", "hidden"]
CONDUCTS = {"quantity": "conduction", "fft": {}, "loading": {"x": 1.0},
            "properties": {name: {"conductivity_w_per_m_k": 1.0 + at} for at, name in enumerate(PHASES)}}  # fmt: skip
SECTIONS = {
    "restore": {"gaussian": {}, "median": {}, "nlm": {}, "tv": {}},
    "segment": {"otsu": {}, "adaptive": {}},
    "detect": {"blobs": {"min_radius_px": 3, "max_radius_px": 9}, "peaks": {}},
    "fields": CONDUCTS,
}


def settings() -> dict:
    ingest = {"gamma_prime": {"ages_h": [1], "images": 1, "size_px": [64, 64]}}
    return study.validate({"title": "t", "phases": PHASES, "ingest": ingest, **SECTIONS}, Path("config/studies/t.yaml"))


def picture(name: str) -> np.ndarray:
    size = 12 if name == "small" else 64
    y, x = np.indices((size, size))
    bright = np.zeros((size, size), bool)
    if name in ("discs", "hidden"):
        bright = (y % 32 - 16) ** 2 + (x % 32 - 16) ** 2 < 30
    if name == "line":
        bright = np.abs(y - 30) < 2
    return (0.3 + 0.4 * bright + np.random.default_rng(0).normal(0, 0.02, bright.shape)).astype(np.float32)


@pytest.fixture
def shard(tmp_path):
    """Write the images of a shard: one without an object, one very small, one of which next to nothing is measured."""
    about = {"intensity_low": 0.0, "intensity_high": 1.0, "pixel_size_um": None}
    rows = []
    with io.write_arrays(tmp_path / "images.zarr.zip") as out, io.write_arrays(tmp_path / "truth.zarr.zip"):
        for key, name in enumerate(ITEMS):
            image = picture(name)
            ignore = np.ones(image.shape, np.uint8)
            ignore[5:9, 5:9] = 0
            out.add(key, image, "yx", {"item": name, **about}, {"ignore": ignore} if name == "hidden" else {})
            rows.append({"key": key, "item": name, "axes": "yx", **about})
    import pandas as pd

    io.write_table(tmp_path / "index.parquet", pd.DataFrame(rows))
    return tmp_path


def lost(path) -> set:
    table = io.read_table(path)
    assert table[columns.REASON].astype(str).str.len().gt(0).all()
    return set(table[columns.ITEM])


def stored(path) -> set:
    with io.read_arrays(path) as arrays:
        return {arrays.attrs(key)[columns.ITEM] for key in arrays}


def conserved(kept: set, rejected: set, given=frozenset(ITEMS)) -> None:
    assert kept | rejected == given and not kept & rejected, (kept, rejected)


@pytest.mark.parametrize("method", SECTIONS["restore"])
def test_restored_or_rejected(shard, method):
    from scripts import restore

    made = [str(shard / name) for name in ("restored.zarr.zip", "quality.parquet", "lost.parquet")]
    images = str(shard / "images.zarr.zip")
    restore.main(images, images, method, settings()["restore"][method], *made)
    conserved(stored(made[0]), lost(made[2]))


@pytest.mark.parametrize("method", SECTIONS["segment"])
def test_labelled_then_solved_or_rejected(shard, method):
    from scripts import fields, segment

    whole = settings()
    tables = [f"{name}.parquet" for name in ("effective", "quality", "hot_spots", "costs", "unsolved")]
    names = ["labels.zarr.zip", "lost.parquet", "fields.zarr.zip", *tables]
    made = [str(shard / name) for name in names]
    inputs = [str(shard / "images.zarr.zip"), str(shard / "truth.zarr.zip")]
    segment.main(*inputs, method, whole["segment"][method], PHASES, *made[:2])
    labelled = stored(made[0])
    conserved(labelled, lost(made[1]))
    chosen = {key: value for key, value in whole["fields"].items() if key != "fft"}
    fields.main(inputs[0], made[0], "fft", whole["fields"]["fft"], chosen, PHASES, *made[2:])
    conserved(stored(made[2]), lost(made[7]), labelled)
    assert set(io.read_table(made[3])[columns.ITEM]) == stored(made[2])


@pytest.mark.parametrize("method", ["blobs", "peaks"])
def test_searched_or_rejected(shard, method):
    from scripts import detect

    whole = settings()
    names = ("detections", "missed", "detection_scores", "ranked", "rejected")
    made = {name: str(shard / f"{name}.parquet") for name in names}
    inputs = [str(shard / name) for name in ("images.zarr.zip", "truth.zarr.zip", "index.parquet")]
    options = whole["detect"][method]
    detect.main(*inputs, method, options, PHASES, whole["detect"]["scores"], made)
    table = io.read_table(made["detection_scores"])
    conserved(set(table[columns.ITEM]), lost(made["rejected"]))
    assert set(io.read_table(made["detections"])[columns.ITEM]) <= set(table[columns.ITEM])
    found = table.set_index(columns.ITEM)
    assert set(table["match"]) == {"none"} and found["f1"].isna().all()
    assert found.at["flat", "found"] == 0 and found.at["flat", "found_per_px2"] == 0
    assert found.at["discs", "found"] == 4 and found.at["discs", "found_per_px2"] == pytest.approx(4 / 64**2)
    assert found.at["hidden", "judged_px2"] == 16
    pooled = summary.pooled(table, io.read_table(made["ranked"]))
    assert not len(pooled) and not len(summary.curves(table, io.read_table(made["ranked"])))
