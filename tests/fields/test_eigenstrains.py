"""Stress-free strains act in three dimensions, in images too; small periodic cells are no cut-outs."""

import numpy as np
import pytest
from matlens.fields import hot_spots, methods, quality
from matlens.fields.cells import remark
from matlens.fields.problem import make
from matlens.job.batch import BadItem

from .cells import cell

PHASES = ["matrix", "fibre"]
FREE, YOUNGS, POISSON = 0.002, 3.0, 0.3


def heated(shape, plane):
    """Solve a body of one phase that wants to grow and is held."""
    own = {"youngs_gpa": YOUNGS, "poisson": POISSON, "eigenstrain": FREE}
    settings = {"quantity": "elastic", "properties": {"matrix": own, "fibre": own}, "loading": {"xx": 0.0},
                "plane": plane, "boundary": "periodic"}  # fmt: skip
    problem = make(np.zeros(shape, np.uint8), "zyx"[-len(shape) :], PHASES, None, settings)
    return problem, methods.fft(problem, tol=1e-8)


@pytest.mark.parametrize(
    ("shape", "plane", "stress"),
    [
        ((4, 4, 4), "strain", -YOUNGS * FREE / (1 - 2 * POISSON)),  # held in three directions
        ((6, 6), "strain", -YOUNGS * FREE / (1 - 2 * POISSON)),
        ((6, 6), "stress", -YOUNGS * FREE / (1 - POISSON)),  # held in two
    ],
)
def test_a_heated_body_that_is_held_has_its_thermal_stress(shape, plane, stress):
    problem, found = heated(shape, plane)
    assert np.allclose(found.answer[0, 0], stress, rtol=1e-6) and np.allclose(found.answer[-1, -1], stress, rtol=1e-6)
    assert np.allclose(methods.answer_of(problem, found.cause), found.answer)
    whole = hot_spots.magnitude(problem, found)  # hydrostatic in plane strain
    assert np.allclose(whole, 0 if plane == "strain" else abs(stress), atol=1e-9)


def test_the_stress_across_an_image_is_that_of_its_strain():
    """In plane strain the strain across is 0: s_zz = poisson (s_xx + s_yy) - E e."""
    labels = cell((16, 16))
    properties = {"matrix": {"youngs_gpa": 1.0, "poisson": 0.2, "eigenstrain": 0.0},
                  "fibre": {"youngs_gpa": 5.0, "poisson": 0.35, "eigenstrain": 0.01}}  # fmt: skip
    settings = {"quantity": "elastic", "properties": properties, "loading": {"xx": 0.003}, "plane": "strain",
                "boundary": "periodic"}  # fmt: skip
    problem = make(labels, "yx", PHASES, None, settings)
    found = methods.fft(problem)
    youngs, poisson, free = (problem.voxels(name) for name in ("youngs_gpa", "poisson", "eigenstrain"))
    expected = poisson * np.trace(found.answer) - youngs * free
    assert np.allclose(hot_spots._whole(problem, found)[0, 0], expected, atol=1e-9)


def test_hill_and_mandel_hold_where_a_body_is_held_back():
    """A body that wants to grow, and may by half of that alone: the means do work below 0."""
    own = {"youngs_gpa": YOUNGS, "poisson": POISSON, "eigenstrain": FREE}
    settings = {"quantity": "elastic", "properties": {"matrix": own, "fibre": {**own, "youngs_gpa": 9.0}},
                "loading": {"xx": FREE / 2}, "plane": "strain", "boundary": "periodic"}  # fmt: skip
    found = methods.fft(make(cell((16, 16)), "yx", PHASES, None, settings), tol=1e-8)
    assert (found.answer.mean(axis=(2, 3)) * found.cause.mean(axis=(2, 3))).sum() < 0
    assert quality.hill_mandel(found.answer, found.cause, 2) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("side", [16, 32, 64])
def test_small_periodic_cells_are_not_refused_by_chance(side):
    settings = {"quantity": "conduction", "properties": {n: {"conductivity_w_per_m_k": 1.0} for n in PHASES},
                "loading": {"x": 1.0}, "plane": "strain", "boundary": "periodic"}  # fmt: skip
    for seed in range(100):
        make(cell((side, side), seed), "yx", PHASES, None, settings)
    refused = 0
    for seed in range(100):
        try:
            make(cell((2 * side, 2 * side), seed)[:side, :side], "yx", PHASES, None, settings)
        except BadItem:
            refused += 1
    assert refused >= {16: 50, 32: 60, 64: 80}[side]


@pytest.mark.parametrize("soft", [0.0, 1e-4])
@pytest.mark.parametrize(("quantity", "name"), [("conduction", "conductivity_w_per_m_k"), ("elastic", "youngs_gpa")])
def test_a_phase_that_holds_together_by_corners_alone_is_said_so(quantity, name, soft):
    """Beside a soft phase, too: a checkerboard of 1 and 1e4 conducts 100 (Keller), in these pixels 1,415."""
    labels = np.zeros((12, 12), np.uint8)
    labels[:6, :6] = labels[6:, 6:] = 1  # two squares that touch: nothing flows through a point
    settings = {"quantity": quantity, "properties": {"matrix": {name: soft, "poisson": 0.3}, "fibre": {name: 1.0,
                "poisson": 0.3}}, "loading": {"xx" if quantity == "elastic" else "x": 1.0}, "plane": "strain",
                "boundary": "periodic"}  # fmt: skip
    item = {"item": "squares", "axes": "yx"}
    assert "corners of voxels alone along x" in remark(item, make(labels, "yx", PHASES, None, settings), PHASES)
    labels[5:7, 5:7] = 1
    labels[[0, -1, 0, -1], [0, -1, -1, 0]] = 1
    assert "corners" not in remark(item, make(labels, "yx", PHASES, None, settings), PHASES)
