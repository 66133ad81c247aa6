"""Grain boundaries from a probability: crossings counted by hand, and the threshold that gives the true grain size."""

import numpy as np
import pytest
from matlens.segment import lines


def test_crossings_by_hand():
    regions = np.array([[1, 1, 2, 2], [1, 0, 2, 2], [3, 0, 0, 3]])
    # rows: 1|2; 1 0 2; 3 0 0 3: three; columns: 1|3 and 2|3: two, the others end on a boundary
    assert lines.crossings(regions) == 5
    assert lines.crossings(np.zeros((3, 3), int)) == 0
    assert lines.crossings(np.arange(27).reshape(3, 3, 3) + 1) == 3 * 9 * 2


@pytest.mark.parametrize("output", lines.OUTPUTS)
def test_faint_lines_are_found_again(output):
    size, step = 160, 20
    y, x = np.mgrid[:size, :size]
    truth = (x % step < 3) | (y % step < 3)
    rng = np.random.default_rng(0)
    strength = np.where((x // step) % 2 == (y // step) % 2, 0.35, 0.3)  # every line is faint: 0.5 finds none
    probability = np.where(truth, strength, 0.1) + 0.02 * rng.random(truth.shape)
    level = lines.fitting_threshold([(probability, truth)], output, 2.0, 30)
    assert 0.12 < level <= 0.3
    assert lines.crossings(lines.cut(probability, "grains", 0.5, 2.0, 30)) == 0
    count = lines.crossings(lines.cut(probability, "grains", level, 2.0, 30))
    assert count == pytest.approx(lines.crossings(lines.cut(truth.astype(float), "grains", 0.5, 2.0, 30)), rel=0.02)
