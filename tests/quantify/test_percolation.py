"""Percolation of structures that are known to span, or not to."""

import numpy as np
import pytest
from matlens.image import percolation

PHASES = ["void", "solid"]


def measure(labels, **options):
    return percolation.measure(labels.astype(np.uint8), PHASES, **options).set_index("direction")


def test_a_channel_and_an_island():
    labels = np.zeros((10, 20))
    labels[4, :] = 1
    labels[0:2, 0:5] = 1
    frame = measure(labels)
    assert frame["spanning_clusters"].to_dict() == {"y": 0, "x": 1}
    assert frame.loc["x", "connected_fraction"] == 20 / 30
    assert frame.loc["y", "connected_fraction"] == 0
    assert frame["clusters"].tolist() == [2, 2]


def test_a_checkerboard_spans_by_corners_alone():
    labels = np.indices((8, 8)).sum(axis=0) % 2
    assert measure(labels, connectivity="faces")["connected_fraction"].tolist() == [0, 0]
    assert measure(labels, connectivity="corners")["connected_fraction"].tolist() == [1, 1]


@pytest.mark.parametrize(("occupied", "spans"), [(0.20, False), (0.45, True)])
def test_site_percolation_on_the_cubic_lattice(occupied, spans):
    """The threshold of the simple cubic lattice is 0.3116 (X. Xu et al., Front. Phys. 9 (2014) 113)."""
    labels = np.random.default_rng(0).random((40, 40, 40)) < occupied
    frame = measure(labels)
    assert (frame["spanning_clusters"] > 0).tolist() == [spans] * 3
    assert (frame["connected_fraction"] > 0.9).tolist() == [spans] * 3


def test_an_absent_phase_does_not_span():
    frame = measure(np.zeros((5, 5)))
    assert frame["connected_fraction"].tolist() == [0, 0]
    assert frame["clusters"].tolist() == [0, 0]


def test_the_pores_of_berea_are_one_network(data):
    """97.7 % of the pore space of the first 128^3 tile hangs together (connected porosity of the published solver)."""
    import io
    import zipfile

    tifffile = pytest.importorskip("tifffile")
    folder = data("micrographs/porous3d")
    tile = tifffile.imread(io.BytesIO(zipfile.ZipFile(folder / "berea.zip").read("berea.tif")))[:128, :128, :128]
    frame = measure(tile == 0)
    assert (frame["spanning_clusters"] >= 1).all()
    assert (frame["connected_fraction"] > 0.9).all()
