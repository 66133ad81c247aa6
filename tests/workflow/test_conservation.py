"""Items in = items out: every stage of a study keeps each item, as a result or as a row of `rejected` with a reason."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from matlens import columns
from matlens.store import io
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = str(ROOT / "data/weights/cgcnn_log10_bulk_modulus.safetensors")
NACL = "Na Cl\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\nNa Cl\n4 4\nDirect\n"
NACL += "0 0 0\n.5 .5 0\n.5 0 .5\n0 .5 .5\n.5 0 0\n0 .5 0\n0 0 .5\n.5 .5 .5\n"


@pytest.fixture
def results(house, pictures, tmp_path):
    """Run a study of images and one of crystals, each with items that cannot be used."""
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(pictures / "tiny.png")
    shutil.copy(pictures / "field_0.png", pictures / "twin.png")
    house.study(
        "fields",
        ingest={"shards": 2, "files": {"path": str(pictures)}},
        segment={"otsu": {}, "otsu.smooth": {"sigma_px": 3.0}},
        quantify={"fractions": {}, "regions": {}, "percolation": {}},
    )
    crystals = tmp_path / "crystals"
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


def test_no_item_and_no_candidate_is_lost_in_any_stage(results):
    images(results)
    candidates(results)


def images(results: Path) -> None:
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
        for measure in ("fractions", "percolation", "regions"):
            measured = results / "fields/quantify" / method
            conserved(labelled, items(measured / measure), items(measured / f"rejected_{measure}"))


def candidates(results: Path) -> None:
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
