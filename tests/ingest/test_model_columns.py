"""The numbers that a model is said to write into the index are those that it writes."""

import pandas as pd
import pytest
from matlens import columns, ingest, registry
from matlens.ingest import catalog, sets
from matlens.ingest.models import model_columns
from matlens.store import catalog as store

from .test_synthetic_items import SMALL

TINY = {
    **{name: {**options, "images": 1} for name, options in SMALL.items()},
    "aged_alloys": {
        "elements": {"Al": [10, 16], "Cr": [8, 8]}, "balance": "Ni", "levels": 2, "images": 1, "size_px": [48, 48],
        "database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"],
    },
    "growth": {"images": 1, "size_px": [32, 32], "frames": 2},
    "scenes": {"images": 1},
    "anode": {"images": 1},
    "loops_video": {"images": 1, "size_px": [64, 64]},
    "cracked_particles": {"images": 1, "size_px": [128, 128]},
}  # fmt: skip
GENERAL = {columns.ITEM_SEED, columns.KEY, columns.REASON, "height_px", "width_px", "depth_px", "frames"}
GENERAL |= {columns.GREY_LOW, columns.GREY_HIGH, columns.PIXEL_SIZE, columns.PIXEL_SIZE_Y, columns.PIXEL_SIZE_Z}


@pytest.mark.parametrize("name", model_columns.NUMBERS)
def test_the_numbers_of_a_model_are_those_of_its_index(name):
    options = TINY.get(name, {"images": 1})
    plan = registry.call(registry.load(ingest.PLANS, name), {}, options)
    rows = plan[plan[columns.REASON].isna()] if columns.REASON in plan else plan
    row = rows.iloc[0].to_dict()
    made = registry.call(registry.load(ingest.METHODS, name), {"item": row, "phases": ["a", "b"]}, options)
    index = ingest.index_table([ingest.index_row(made, row)])
    numbers = {key for key in index if pd.api.types.is_numeric_dtype(index[key])} - GENERAL
    given = registry.call(registry.load({name: ingest.MODELS}, name), {"method": name}, options)
    assert numbers == set(given)


def test_every_model_of_images_is_listed():
    sources = {"files", "sheet", "catalog", "sets", "cells", "generated"}
    assert set(ingest.METHODS) - sources == set(model_columns.NUMBERS)


def test_a_set_gives_the_columns_of_its_files():
    assert catalog.columns_of(set="no_such_set") == []
    with_time = [name for name in store.entries() if columns.TIME in catalog.columns_of(set=name)]
    pair = {with_time[0]: {}, "powder_ampis": {}}
    assert columns.TIME in sets.columns_of(sets=pair) and columns.SPLIT not in sets.columns_of(sets=pair)
    assert with_time and all("time_h" in store.entry(name)["items"]["image"] for name in with_time)
