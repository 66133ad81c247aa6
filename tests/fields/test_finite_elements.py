"""The solvers against scikit-fem on the same pixels."""

import sys
from pathlib import Path

import numpy as np
import pytest
from matlens.fields import conduction, elastic, hexahedra
from scipy import ndimage

pytest.importorskip("skfem", reason="scikit-fem is not installed: pip install scikit-fem")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import _finite_elements as oracle


def blobs(size=64, seed=4):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), 4, mode="wrap")
    return (field > 0.3 * field.std()).astype(int)


@pytest.mark.parametrize("ratio", [10.0, 50.0])
def test_the_conductivity_is_that_of_bilinear_elements(ratio):
    voxels = np.array([1.0, ratio])[blobs()]
    own = conduction.effective(voxels, tol=1e-6)[::-1, ::-1]
    theirs = np.array([oracle.conduction(voxels, unit) for unit in ((1.0, 0.0), (0.0, 1.0))]).T
    np.testing.assert_allclose(np.diag(own), np.diag(theirs), rtol=0.02)
    assert own[0, 1] == pytest.approx(theirs[0, 1], abs=0.02 * theirs[0, 0])


@pytest.mark.parametrize("ratio", [10.0, 50.0])
def test_the_stress_is_that_of_bilinear_elements(ratio):
    first, mu = elastic.lame(np.array([1.0, ratio])[blobs()], 0.3)
    theirs = oracle.elasticity(first, mu, np.diag([1.0, 0.0]))  # (x, y)
    mean = np.diag([0.0, 1.0])  # (y, x)
    for solve in (elastic.solve, hexahedra.solve):
        own = solve(first, mu, mean, tol=1e-6).stress.mean(axis=(2, 3))
        assert [own[1, 1], own[0, 0]] == pytest.approx([theirs[0, 0], theirs[1, 1]], rel=0.03 if ratio > 10 else 0.02)
        assert own[0, 1] == pytest.approx(theirs[0, 1], abs=0.02 * theirs[0, 0])


def test_both_converge_to_one_stress():
    """On pixels divided by two and by four, the difference falls."""
    labels, gaps = blobs(24), []
    for factor in (1, 2, 4):
        fine = np.kron(labels, np.ones((factor, factor), int))
        first, mu = elastic.lame(np.array([1.0, 10.0])[fine], 0.3)
        own = hexahedra.solve(first, mu, np.diag([0.0, 1.0]), tol=1e-7).stress[1, 1].mean()
        gaps.append(abs(own / oracle.elasticity(first, mu, np.diag([1.0, 0.0]))[0, 0] - 1))
    assert gaps[2] < 0.6 * gaps[1] < 0.36 * gaps[0]
