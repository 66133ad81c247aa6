"""Two studies run at once, of micrographs and of crystals, through all their stages; tests read the results.

Items in = items out: every stage of a study keeps each item, as a result or as a row of `rejected` with a reason.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from matlens import columns
from matlens.store import io
from PIL import Image

from .conftest import House, save_pictures

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = str(ROOT / "data/weights/cgcnn_log10_bulk_modulus.safetensors")
NACL = "Na Cl\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\nNa Cl\n4 4\nDirect\n"
NACL += "0 0 0\n.5 .5 0\n.5 0 .5\n0 .5 .5\n.5 0 0\n0 .5 0\n0 0 .5\n.5 .5 .5\n"


BASES = [
    {"database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"]},
    {"database": "pycalphad:alcocrni.tdb", "phases": ["LIQUID", "L12_FCC", "BCC_B2"]},
]
BRIDGE = {"composition": {"Ni": "bal", "Al": 12, "Cr": 10}, "unit": "at%", "phase": "phase", "structure": "l1_2"}
BRIDGE |= {"databases": BASES, "temperature_k": 1073}
FIELDS = {
    "segment": {"otsu": {}, "otsu.smooth": {"sigma_px": 6.0}},
    "quantify": {
        "fractions": {}, "fractions.smooth": {"of": "otsu.smooth"}, "percolation": {"of": "otsu"},
        "regions": {}, "regions.large": {"min_area_px2": 200.0},
    },
    "predict": {
        "target": "height_px", "features": ["regions.large.area_px2"], "folds": 3, "shuffles": 0, "curve_steps": 0,
        "mean": {},
    },
    "validate": {"bridge": BRIDGE},
    "figures": {"sizes": {}, "sizes.large": {}, "fractions": {}, "bridge": {}},
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> House:
    """Run a study of images and one of crystals, each with items that cannot be used."""
    place = tmp_path_factory.mktemp("conservation")
    house, pictures, crystals = House(place / "house"), save_pictures(place / "pictures"), place / "crystals"
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(pictures / "tiny.png")
    shutil.copy(pictures / "field_0.png", pictures / "twin.png")
    house.study("fields", ingest={"shards": 2, "files": {"path": str(pictures)}}, **FIELDS)
    crystals.mkdir()
    for number, a in enumerate((5.4, 5.6, 5.8)):
        (crystals / f"nacl_{number}_POSCAR").write_text(NACL.format(a=a))
    (crystals / "empty_POSCAR").write_text("")
    (crystals / "heavy_POSCAR").write_text(NACL.format(a=6.5).replace("Na Cl\n4 4", "No Cl\n4 4"))
    house.study(
        "candidates",
        ingest={"shards": 2, "structures": {"path": str(crystals)}},
        connect={"knn": {}},
        predict={"pretrained": {"weights": {"k": WEIGHTS}}},
        screen={"properties": {"k": {"goal": "maximize"}}, "most": 1, "weighted": {}, "random": {}},
    )
    done = house.run("-c2", studies="fields,candidates")
    assert done.returncode == 0, done.stdout + done.stderr
    return house


@pytest.fixture(scope="module")
def results(house) -> Path:
    return house.folder / "results"


def items(folder: Path) -> set[str]:
    """Collect the items of all tables below a folder, shard by shard or merged."""
    tables = [io.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    return {str(item) for table in tables if columns.ITEM in table for item in table[columns.ITEM]}


def stored(folder: Path) -> set[str]:
    """Collect the items of all arrays below a folder."""
    found = set()
    for path in sorted(folder.glob("*.zarr.zip")):
        with io.read_arrays(path) as arrays:
            found |= {arrays.attrs(key)[columns.ITEM] for key in arrays}
    return found


def conserved(given: set, kept: set, lost: set) -> None:
    """Every item that a stage is given is kept or rejected, and none is both."""
    assert kept | lost == given, (kept, lost, given)
    assert not kept & lost


def measures(method: str) -> list[str]:
    """List the measures of a segmentation that have a row for every image; not every image has a large region."""
    of = {name: options.get("of", method) for name, options in FIELDS["quantify"].items()}
    return [name for name in of if of[name] == method and name != "regions.large"]


def test_no_image_is_lost_in_any_stage(results):
    source = results / "fields/ingest/files"
    planned = {str(item) for item in io.read_table(source / "plan/all.parquet")[columns.ITEM]}
    there = {path.stem for path in (results.parents[1] / "pictures").glob("*.png")}
    assert planned | items(source / "rejected") == there
    read = items(source / "index")
    conserved(planned | items(source / "rejected"), read, items(source / "rejected"))
    assert stored(source / "images") == read
    for method in ("otsu", "otsu.smooth"):
        folder = results / "fields/segment" / method
        labelled = stored(folder / "labels")
        conserved(read, labelled, items(folder / "rejected"))
        measured = results / "fields/quantify" / method
        for measure in measures(method):
            conserved(labelled, items(measured / measure), items(measured / f"rejected_{measure}"))


def test_no_candidate_is_lost_in_any_stage(results):
    source = results / "candidates/ingest/structures"
    planned = {str(item) for item in io.read_table(source / "plan/all.parquet")[columns.ITEM]}
    lost = items(source / "rejected")
    conserved(planned | lost, items(source / "index"), lost)
    connected = results / "candidates/connect/knn"
    conserved(items(source / "index"), items(connected / "connections"), items(connected / "rejected"))
    predicted = results / "candidates/predict/pretrained"
    conserved(items(connected / "connections"), items(predicted / "properties"), items(predicted / "rejected"))
    everything = {*lost, *items(connected / "rejected"), *items(predicted / "rejected")}
    for method in ("weighted", "random"):
        folder = results / "candidates/screen" / method
        listed, excluded = items(folder / "shortlist"), items(folder / "excluded")
        assert not listed & excluded and not (listed | excluded) & everything
        assert listed | excluded | everything == planned | lost
    table = io.read_csv(results / "candidates/tables/rejected.csv")
    assert set(table[columns.ITEM].astype(str)) == everything and table[columns.REASON].notna().all()


def test_variants_end_in_tables_and_figures_under_their_own_names(house, results):
    assert set(house.read("fields", "fractions.smooth")["method"]) == {"otsu.smooth"}
    every, large = house.read("fields", "regions"), house.read("fields", "regions.large")
    assert every.groupby("method").size()["otsu"] > every.groupby("method").size()["otsu.smooth"]
    assert every["area_px2"].min() < 200 <= large["area_px2"].min()
    figures = results / "fields/figures"
    assert (figures / "sizes.svg").read_bytes() != (figures / "sizes.large.svg").read_bytes()
    assert (results / "fields/predict/mean/predictions/all.parquet").is_file()
    assert (house.folder / "logs/fields/segment/otsu.smooth/0000.tsv").is_file()
    again = house.run("-n", studies="fields,candidates")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_the_bridge_joins_micrographs_and_thermodynamics(house, results):
    table = house.read("fields", "bridge")
    assert len(table) == len(house.read("fields", "fractions").query("phase_name == 'phase'")) * len(BASES)
    assert table["calphad"].to_numpy() == pytest.approx(0.497, abs=5e-4)
    assert not table["agrees"].astype(bool).any()  # a tenth of each picture is bright
    assert (results / "fields/figures/bridge.svg").exists()
