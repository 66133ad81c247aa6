"""Variants of methods and measures, and measures of chosen segmentations, from images to tables and figures."""

QUICK = {"folds": 3, "shuffles": 0, "curve_steps": 0}


def test_variants_end_in_tables_and_figures_under_their_own_names(house, pictures):
    house.study(
        "mine",
        ingest={"files": {"path": f"{pictures}/*"}},
        segment={"otsu": {}, "otsu.smooth": {"sigma_px": 6.0}},
        quantify={"fractions": {"of": "otsu.smooth"}, "regions": {}, "regions.large": {"min_area_px2": 200.0}},
        predict={"target": "height_px", "features": ["regions.large.area_px2"], **QUICK, "mean": {}},
        figures={"sizes": {}, "sizes.large": {}, "fractions": {}},
    )  # fmt: skip
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(house.read("mine", "fractions")["method"]) == {"otsu.smooth"}
    every, large = house.read("mine", "regions"), house.read("mine", "regions.large")
    assert every.groupby("method").size()["otsu"] > every.groupby("method").size()["otsu.smooth"]
    assert every["area_px2"].min() < 200 <= large["area_px2"].min()
    figures = house.folder / "results/mine/figures"
    assert (figures / "sizes.svg").read_bytes() != (figures / "sizes.large.svg").read_bytes()
    assert (house.folder / "results/mine/predict/mean/predictions/all.parquet").is_file()
    assert (house.folder / "logs/mine/segment/otsu.smooth/0000.tsv").is_file()
    again = house.run("-n", studies="mine")
    assert "Nothing to be done" in again.stdout + again.stderr
