"""The model of loops that ripen follows the law of Wagner for a conserved area."""

import numpy as np
import pytest
from matlens.ingest.models import ripening
from matlens.job.batch import BadItem


def test_the_mean_square_grows_by_half_the_rate_and_the_number_as_its_inverse():
    rng = np.random.default_rng(0)
    radius = 10 * ripening.steady(20000, rng)
    later = [ripening.aged(radius, 20.0, 10.0 * hours, 2000) for hours in (1, 2)]
    alive = [one[one > 0] for one in (radius, *later)]
    squares = [one.mean() ** 2 for one in alive]
    assert np.diff(squares) == pytest.approx([100.0, 100.0], rel=0.06)
    assert len(alive[2]) / len(alive[0]) == pytest.approx(squares[0] / squares[2], rel=0.04)
    areas = [(one**2).sum() for one in alive]
    assert areas == pytest.approx([areas[0]] * 3, rel=0.01)


def test_the_distribution_that_keeps_its_form_has_the_mean_1():
    from scipy import integrate

    moment = [
        integrate.quad(lambda u, k=k: u ** (1 + k) * (2 - u) ** -4 * np.exp(-4 / (2 - u)), 0, 2)[0] for k in (0, 1, 2)
    ]
    assert moment[1] / moment[0] == pytest.approx(1.0, abs=1e-6)
    drawn = ripening.steady(20000, np.random.default_rng(1))
    assert (drawn**2).mean() == pytest.approx(moment[2] / moment[0], rel=0.005) and drawn.max() < 2.02


def test_frames_of_a_series_share_their_loops():
    plan = ripening.plan(series=2, val_series=1, frames=3)
    assert plan["split"].tolist() == ["val"] * 3 + ["test"] * 3 and plan["time_h"].tolist() == [0, 1, 2] * 2
    small = {"frames": 3, "size_px": (256, 256), "loops": 30}
    first, last = (ripening.read(row, ["a", "b"], **small) for row in plan.to_dict("records")[3::2])
    numbers = [set(np.unique(one.truth)) - {0} for one in (first, last)]
    assert len(numbers[0]) >= 29 and numbers[1] < numbers[0]
    areas = [np.bincount(one.truth.ravel(), minlength=31)[1:] for one in (first, last)]
    large = np.argmax(areas[0])
    assert areas[1][large] > areas[0][large] and last.objects["reason"].eq("").all()
    with pytest.raises(BadItem, match="outside the 3 frames"):
        ripening.read({"item_seed": 0, "time_h": 9.0}, [], **small)
