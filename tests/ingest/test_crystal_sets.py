"""Sets of crystals by name: the catalogue's, and matminer's out of its cache."""

import gzip
import json
import socket

import numpy as np
import pandas as pd
import pytest
from matlens import columns
from matlens.ingest.crystals import crystal_set, matminer_set


@pytest.fixture
def offline(monkeypatch):
    """Block the network."""

    def refuse(*_, **__):
        raise OSError("the network is down")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def raw(data, count: int) -> list[dict]:
    with gzip.open(data("crystals/matbench_jdft2d/structures.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def test_a_set_of_the_catalogue_is_read_by_name(data, monkeypatch):
    monkeypatch.setenv("MATLENS_DATA", str(data("crystals").parent))
    found = crystal_set.plan(name="matbench_jdft2d", targets=["y"])
    assert len(found) == 636 and not found[columns.REASON].notna().any()
    assert found[columns.ITEM].iloc[0] == "mb-jdft2d-001"
    spread = (found["y"] - found["y"].mean()).abs().mean()
    assert spread == pytest.approx(67.2020, abs=1e-4)  # the mean absolute deviation that Matbench publishes of the task
    crystal, _ = crystal_set.read(found.iloc[0].to_dict())
    assert sorted(crystal.species.tolist()) == [14, 14, 52, 52, 72, 72]  # HfSiTe
    assert abs(np.linalg.det(crystal.cell)) == pytest.approx(3.66730534**2 * 27.311209)
    assert crystal_set.listing(name="matbench_jdft2d") == crystal_set.listing(name="matbench_jdft2d")


def test_unknown_sets_and_targets_are_answered(data, monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'matbench_jdft2d'"):
        crystal_set.plan(name="matbench_jdft2")
    with pytest.raises(ValueError, match="has no crystals"):
        crystal_set.listing(name="matbench_scores")
    monkeypatch.setenv("MATLENS_DATA", str(data("crystals").parent))
    with pytest.raises(ValueError, match="no structure has a column 'exfoliation'"):
        crystal_set.plan(name="matbench_jdft2d", targets=["exfoliation"])


def test_a_set_that_is_not_here_says_whence_it_comes(tmp_path, monkeypatch):
    from matlens.store import catalog

    monkeypatch.setattr(catalog, "places", lambda: [tmp_path])
    with pytest.raises(ValueError, match=r"github\.com/researchdev7/MatUQ"):
        crystal_set.listing(name="matbench_jdft2d")
    with pytest.raises(FileNotFoundError, match="was converted"):
        crystal_set.plan(name="matbench_jdft2d")


def written(folder, entries: list[dict]):
    """Write crystals as matminer keeps its sets: a pandas table of pymatgen dicts, split and packed."""
    from matminer.utils.io import store_dataframe_as_json
    from pymatgen.core import Lattice, Structure

    made = [Structure(Lattice.from_parameters(*e["cell"]), e["species"], e["frac"]) for e in entries]
    frame = pd.DataFrame({"structure": made, "exfoliation_en": [e["y"] for e in entries]})
    folder.mkdir(parents=True)
    store_dataframe_as_json(frame, str(folder / "matbench_jdft2d.json.gz"), compression="gz", pbar=False)


def test_matminers_cache_gives_the_rows_of_the_catalogue(data, tmp_path, monkeypatch, offline):
    from matminer.datasets import load_dataset

    entries = raw(data, 40)
    written(tmp_path / "cache", entries)
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("MATLENS_DATA", str(data("crystals").parent))
    found = matminer_set.plan(name="matbench_jdft2d", targets=["exfoliation_en"])
    loaded = load_dataset("matbench_jdft2d")
    ours = crystal_set.plan(name="matbench_jdft2d", targets=["y"]).iloc[:40]
    assert found[columns.ITEM].tolist() == ours[columns.ITEM].tolist()
    assert found["exfoliation_en"].tolist() == loaded["exfoliation_en"].tolist() == ours["y"].tolist()
    for one, other, third in zip(found.to_dict("records"), ours.to_dict("records"), loaded["structure"], strict=True):
        crystal, _ = matminer_set.read(one)
        same, _ = crystal_set.read(other)
        assert crystal.species.tolist() == same.species.tolist() == list(third.atomic_numbers)
        np.testing.assert_allclose(crystal.cell, same.cell, atol=1e-10)
        np.testing.assert_allclose(crystal.cell, third.lattice.matrix, atol=1e-10)
        gap = crystal.frac - same.frac
        assert np.abs(gap - gap.round()).max() < 1e-10


def test_without_cache_and_network_matminers_set_says_where_to_put_it(tmp_path, monkeypatch, offline):
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path / "nothing"))
    assert matminer_set.listing(name="matbench_jdft2d") == ""
    with pytest.raises(OSError, match=r"nothing/matbench_jdft2d.json.gz.*crystal_set"):
        matminer_set.plan(name="matbench_jdft2d")
    assert not list(tmp_path.rglob("*.json.gz"))
    with pytest.raises(ValueError, match="did you mean 'matbench_jdft2d'"):
        matminer_set.plan(name="matbench_jdft2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>403</html>", "web page"),
        (gzip.compress(b'{"columns": ["structure"], "index": [0], "data": [[', mtime=0)[:-20], "broken"),
        (gzip.compress(b'{"columns": ["structure"], "index": [0], "data": [[', mtime=0), "truncated"),
        (gzip.compress(b'{"columns": ["a"], "index": [], "data": []}', mtime=0), "no structure"),
        (b"", "empty"),
    ],
)
def test_a_broken_file_of_the_cache_is_named(tmp_path, monkeypatch, content, message):
    (tmp_path / "matbench_jdft2d.json.gz").write_bytes(content)
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=message):
        matminer_set.plan(name="matbench_jdft2d")


def test_a_set_without_structures_rejects_its_items(tmp_path, monkeypatch):
    table = {"columns": ["composition", "gfa"], "index": [0, 1], "data": [["Al", False], ["Al10Co21B19", True]]}
    (tmp_path / "matbench_glass.json.gz").write_bytes(gzip.compress(json.dumps(table).encode()))
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))
    found = matminer_set.plan(name="matbench_glass")
    from matlens.job.batch import BadItem

    with pytest.raises(BadItem, match="no structure among its keys composition"):
        matminer_set.read(found.iloc[0].to_dict())
