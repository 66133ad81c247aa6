"""A measure over a series: from files with a time each to one exponent, run as a user would run it."""

import csv

import numpy as np
import pandas as pd
import pytest
from matlens.store import io
from PIL import Image
from scripts.table import main as write_csv

QUANTIFY = {"regions": {}, "growth": {}, "coarsening": {"bootstrap": 10}}


@pytest.fixture
def series(tmp_path):
    """Make pictures of discs whose radius cubed grows by 200 px3 an hour from 216, and a sheet with their times."""
    folder = tmp_path / "series"
    folder.mkdir()
    rows = []
    for time in (0, 5, 20, 60):
        radius = np.cbrt(216 + 200 * time)
        y, x = np.mgrid[:220, :220] % 73.4 - 36.7
        inside = y**2 + x**2 <= radius**2
        noise = np.random.default_rng(time).normal(0, 4, inside.shape)
        Image.fromarray((60 + 130 * inside + noise).astype(np.uint8)).save(folder / f"aged_{time:03}.png")
        rows.append({"file": f"aged_{time:03}.png", "time_h": time})
    with open(folder / "sheet.csv", "w", newline="") as handle:
        writer = csv.DictWriter(handle, ["file", "time_h"])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "sheet.csv"


def test_a_series_of_files_becomes_an_exponent(house, series):
    settings = {"segment": {"otsu": {}, "all_background": {}}, "quantify": QUANTIFY}
    for name, shards in (("one", 1), ("two", 2)):
        house.study(name, ingest={"shards": shards, "sheet": {"path": str(series)}}, **settings)
    done = house.run("all", studies="one,two")
    assert done.returncode == 0, done.stdout + done.stderr
    assert house.tables("one") == house.tables("two")
    row = house.read("one", "coarsening").set_index("method").loc["otsu"]
    assert row["exponent"] == pytest.approx(3, rel=0.1)
    assert row["rate_px3_per_h"] == pytest.approx(200, rel=0.05)
    growth = house.read("one", "growth")
    assert growth["time_h"].tolist() == [0, 5, 20, 60]
    np.testing.assert_allclose(growth["mean_radius_px"] ** 3, [216, 1216, 4216, 12216], rtol=0.05)
    # nothing can coarsen where the trivial control finds no region: its table is empty, and nothing was rejected
    assert set(house.read("one", "coarsening")["method"]) == {"otsu"}
    assert house.read("one", "rejected").empty


def test_the_frame_stands_beside_the_item_where_only_some_items_have_frames(tmp_path):
    still, video = (
        pd.DataFrame({"item": ["a"], "area_px2": [3.0]}),
        pd.DataFrame({"item": ["b", "b"], "frame": [0, 1], "area_px2": 1.0}),
    )
    io.write_table(tmp_path / "all.parquet", io.concatenate([still, video]))
    write_csv([tmp_path / "all.parquet"], ["otsu"], tmp_path / "regions.csv")
    assert io.read_csv(tmp_path / "regions.csv").columns.tolist() == ["method", "item", "frame", "area_px2"]
