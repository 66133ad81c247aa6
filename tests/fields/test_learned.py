"""Learned fields: what turns and what is periodic, the linear kernel, strangers, and refined answers."""

from pathlib import Path

import numpy as np
import pytest
from matlens.fields import (
    cells,
    components,
    familiar,
    learned,
    lessons,
    linear_kernel,
    methods,
    network_learning,
    networks,
    percolation,
    problem,
    quality,
)
from matlens.fields.settings import components as component_names
from matlens.job.batch import BadItem
from matlens.learn.options import Training
from scipy import ndimage

PHASES = ["matrix", "fibre"]
SETTINGS = {
    "quantity": "elastic",
    "properties": {"matrix": {"youngs_gpa": 3.0, "poisson": 0.35}, "fibre": {"youngs_gpa": 30.0, "poisson": 0.2}},
    "loading": {"xx": 0.01},
    "plane": "strain",
    "boundary": "periodic",
    "cut": {"iterations": 4},
}
SOLVER = {"scheme": "rotated", "tol": 1e-6, "iterations": 1000}
NAMES = ["xx", "yy", "xy"]
ITEM = {"item": "new", "axes": "yx", "pixel_size_um": 1.0}


def cell(seed, shape=(24, 24), size=1.5):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), size, mode="wrap")
    labels = (field > 0.3 * field.std()).astype(np.uint8)
    for axis in (0, 1):  # so small a cell may look torn where it happens to change much: put the border elsewhere
        differs = (labels != np.roll(labels, -1, axis)).mean(axis=1 - axis)
        labels = np.roll(labels, -1 - int(differs.argmin()), axis)
    return labels


def solved(labels, **changes):
    settings = SETTINGS | changes
    item = problem.make(labels, "yx", PHASES, None, settings)
    values = cells.stacked(methods.fft(item, tol=1e-6), NAMES, "yx", labels.shape)
    return lessons.Lesson(labels, values, cells.described(item, NAMES, settings, "rotated") | {"axes": "yx"})


@pytest.fixture(scope="module")
def taught():
    return [(solved(cell(k)), "val" if k >= 20 else "train", f"i{k}") for k in range(24)]


@pytest.fixture(scope="module", params=["unet", "fno", "cnn3d", "pix2pix"])
def model(request, taught):
    learn = network_learning.learn_against if request.param == "pix2pix" else network_learning.learn
    small = {"width": 8} | ({"depth": 2} if request.param in ("unet", "pix2pix") else {})
    arrays, card = learn(taught, PHASES, request.param, None, None, small, training=Training(epochs=2))
    return networks.prepare(arrays, card | {"items": {"train": [], "val": []}})


def predicted(model, labels, true=None, **options):
    options = {"refine": 0, "fallback": "none"} | options
    about = (labels, ITEM, networks.solve, model.card["network"]["name"], (1.0, 1.0), options, SETTINGS, PHASES)
    return learned.predicted(*about, model, SOLVER, true)


def values(found, field):
    return {row["measure"]: row["value"] for row in found.quality if row["field"] == field}


def test_a_turned_cell_has_the_turned_field():
    labels = cell(1)
    item = problem.make(labels, "yx", PHASES, None, SETTINGS)
    truth = methods.fft(item, tol=1e-8).answer
    turns = components.symmetries(item.load, labels.shape, (1.0, 1.0))
    assert len(turns) == 4  # the two mirrors of a load along x, and both
    for turn in turns:
        turned = problem.make(components.turned(labels, 0, *turn), "yx", PHASES, None, SETTINGS)
        again = methods.fft(turned, tol=1e-8).answer
        np.testing.assert_allclose(again, components.turned(truth, 2, *turn), atol=1e-5 * np.abs(truth).max())
    cube = np.diag([0.0, 0.0, 1.0])
    assert len(components.symmetries(cube, (4, 4, 4), (1.0,) * 3)) == 16


def test_the_linear_kernel_finds_a_convolution_and_applies_it_to_a_larger_cell():
    rng = np.random.default_rng(0)
    kernel = ndimage.gaussian_filter(np.eye(1, 16 * 16, 0).reshape(16, 16), 1.0, mode="wrap")
    labels = [(rng.random((16, 16)) < part).astype(np.uint8) for part in np.linspace(0.2, 0.8, 12)]

    def field(marks, core):
        return np.fft.irfft2(np.fft.rfft2(marks) * np.fft.rfft2(core), marks.shape)[None]

    model = linear_kernel.fit(labels, [field(each, kernel) for each in labels], 2)
    new = (rng.random((16, 16)) < 0.4).astype(np.uint8)
    np.testing.assert_allclose(linear_kernel.apply(model, new, 2), field(new, kernel), atol=2e-2)
    large = (rng.random((32, 32)) < 0.4).astype(np.uint8)
    wide = ndimage.gaussian_filter(np.eye(1, 32 * 32, 0).reshape(32, 32), 1.0, mode="wrap")
    np.testing.assert_allclose(linear_kernel.apply(model, large, 2), field(large, wide), atol=2e-2)


def test_a_rolled_cell_has_the_rolled_prediction(model):
    labels = cell(30)
    item = problem.make(labels, "yx", PHASES, None, SETTINGS)
    rolled = item._replace(labels=np.roll(labels, (4, 8), (0, 1)))
    one, other = (networks.predict(each, model).answer for each in (item, rolled))
    np.testing.assert_allclose(other, np.roll(one, (4, 8), (2, 3)), atol=1e-5 * np.abs(one).max())
    np.testing.assert_allclose(networks.predict(item, model).cause.mean(axis=(2, 3)), item.load, atol=1e-9)


def test_a_prediction_stands_beside_all_controls_and_is_refined_by_the_solver(model):
    labels = cell(31)
    true = solved(labels).field
    found, better = (predicted(model, labels, true, refine=n) for n in (0, 3))
    fields = {row["field"] for row in found.quality}
    assert fields == {model.card["network"]["name"], "uniform", "phase_means", "cut", "linear_kernel"}
    name = model.card["network"]["name"]
    raw, refined = values(found, name), values(better, name)
    assert refined["rel_l2"] < raw["rel_l2"] and refined["compatibility"] < 1e-6 < raw["compatibility"]
    assert {"equilibrium", "hill_mandel", "constitutive", "mase"} <= set(raw)
    assert values(found, "cut")["rel_l2"] == values(better, "cut")["rel_l2"]


def test_a_stranger_is_solved_and_says_so(taught):
    arrays, card = network_learning.learn(
        taught, PHASES, "cnn3d", None, None, {"width": 4}, training=Training(epochs=1)
    )
    model = networks.prepare(arrays, card | {"items": {"train": [], "val": []}})
    strange = np.zeros((24, 24), np.uint8)
    strange[:, 3] = 1
    found = predicted(model, strange, solved(strange).field, fallback="fft")
    assert {row["solved_by"] for row in found.quality if not row["control"]} == {"fft"}
    assert values(found, "cnn3d")["rel_l2"] < 1e-4 and values(found, "cnn3d")["strangeness"] > 1
    with pytest.raises(BadItem, match="times as far from the training items"):
        predicted(model, strange, fallback="reject")
    other = SETTINGS | {"loading": {"yy": 0.01}}
    about = (cell(1), ITEM, networks.solve, "cnn3d", (1.0, 1.0), {"refine": 0, "fallback": "none"}, other, PHASES)
    with pytest.raises(BadItem, match=r"it has learned with the loading .*0.01.*, and the study has"):
        learned.predicted(*about, model, SOLVER, None)


def test_items_of_two_problems_or_shapes_are_no_lesson(taught):
    other = solved(cell(2), loading={"yy": 0.01})
    with pytest.raises(BadItem, match="'x' has another loading"):
        network_learning.learn([*taught, (other, "train", "x")], PHASES, "cnn3d", None, None, {})

    class Shard(dict):
        def attrs(self, key):
            return {"item": "a", "boundary": "periodic", "axes": "yx"}

    with pytest.raises(BadItem, match="labels of shape \\(24, 24\\) and a field of \\(8, 8\\)"):
        list(lessons.samples(Shard({0: cell(1)}), Shard({0: np.zeros((6, 8, 8))}), {"a": "train"}))


CONDUCTS = {"quantity": "conduction", "properties": {"matrix": {"conductivity_w_per_m_k": 1.0},
            "fibre": {"conductivity_w_per_m_k": 10.0}}}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loading": {"xx": 0.01, "yy": -0.02}},
        CONDUCTS | {"loading": {"x": 1.0}},
        CONDUCTS | {"loading": {"y": -2.0}},
    ],
    ids=["tension", "two tensions", "gradient along x", "gradient along y"],
)
def test_a_mirrored_cell_is_learned_and_judged_whole(changes):
    """A mirror image under the same load: of a gradient across the mirror, with the opposite sign."""
    labels, settings = cell(5, (12, 16)), SETTINGS | changes | {"boundary": "mirrored"}
    item = problem.make(labels, "yx", PHASES, None, settings)
    truth, names = methods.fft(item, tol=1e-8), component_names("yx", settings["quantity"])
    part = cells.stacked(truth, names, "yx", labels.shape)
    about = cells.described(item, names, settings, "rotated") | {"axes": "yx"}
    marks, field = lessons.mirrored(labels, part, about)
    np.testing.assert_array_equal(marks, item.labels)
    np.testing.assert_allclose(field[len(names) :], components.stacked(truth.answer, names, "yx"), atol=1e-5)
    judge = learned.whole(item, part, names, "yx", settings)
    np.testing.assert_allclose(judge.cause, truth.cause, atol=1e-5)
    np.testing.assert_allclose(judge.answer, truth.answer, atol=1e-5)


@pytest.mark.parametrize("unit", [1.0, 1e-12, 1e-25])
def test_fields_of_any_unit_are_learned(unit):
    """A flux of 1e-12 beside a gradient of 1, as in diffusion, is lost in half precision, its square in single."""
    given = [solved(cell(k)) for k in range(8)]
    sizes = np.array([1.0, 1.0, 1.0, unit, unit, unit], np.float32)
    small = [each._replace(field=each.field * networks.column(sizes, 3)) for each in given]
    found = []
    for these in (given, small):
        kernel = network_learning._kernel(these, 2)
        made = linear_kernel.apply(kernel, cell(9), 2)
        found.append((made, network_learning.scales_of(these, kernel, 2)))
    np.testing.assert_allclose(found[1][0][3:] / unit, found[0][0][3:], atol=1e-3 * np.abs(found[0][0][3:]).max())
    for name in ("spread", "correction"):
        assert np.array(found[1][1][name]) == pytest.approx(np.array(found[0][1][name]) * sizes, rel=1e-2)


@pytest.mark.parametrize(("axis", "expected"), [(0, True), (1, False)])
def test_a_way_may_wind_around_the_cell(axis, expected):
    """A diagonal closes with itself along both axes; a bar along one of them alone."""
    diagonal, bar = np.eye(6, dtype=bool), np.zeros((6, 6), bool)
    bar[:, 2] = True
    assert percolation.spans(diagonal, axis) and percolation.spans(bar, axis) == expected
    assert not percolation.spans(np.zeros((6, 6), bool), axis)


def test_a_strain_of_a_phase_alone_strains_the_cell():
    """A disc that wants to grow in an equally stiff body: Eshelby's dilatation, (1 + nu) e / (2 (1 - nu))."""
    y, x = np.mgrid[:64, :64] - 31.5
    labels = (x**2 + y**2 < 6**2).astype(np.uint8)
    same = {
        name: {"youngs_gpa": 1.0, "poisson": 0.3, "eigenstrain": e} for name, e in zip(PHASES, (0.0, 0.01), strict=True)
    }
    item = problem.make(labels, "yx", PHASES, None, SETTINGS | {"properties": same, "loading": {"xx": 0.0}})
    for scheme in ("rotated", "hexahedra"):
        found = methods.fft(item, scheme=scheme, tol=1e-6)
        inside = found.cause[0, 0][labels == 1].mean()
        # The mean of the cell is held at 0, which takes the fraction.
        expected = 0.01 * (1 + 0.3) / (2 * (1 - 0.3)) * (1 - labels.mean())
        assert inside == pytest.approx(expected, rel=0.02)
        assert quality.hill_mandel(found.answer, found.cause, 2) != 0


def test_the_benchmark_of_predictions_predicts(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import learned_fields

    assert learned_fields.predicting(learned_fields.posed("elastic", (16, 16), 10.0), {"name": "unet", "width": 4}) >= 0


def test_a_network_learns_a_yielding_matrix_with_a_phase_that_stays_elastic(tmp_path):
    from matlens.store import io

    yields = {"matrix": {"yield_gpa": 0.01, "hardening_gpa": 0.5}, "fibre": {"yield_gpa": np.inf, "hardening_gpa": 0.0}}
    both = {phase: {**values, **yields[phase]} for phase, values in SETTINGS["properties"].items()}
    changes = {"quantity": "elastoplastic", "properties": both}
    lessons_ = [(solved(cell(k), **changes), "train", f"i{k}") for k in range(3)]
    arrays, card = network_learning.learn(lessons_, PHASES, "unet", None, None, {"width": 4, "depth": 2},
                                          training=Training(epochs=1))  # fmt: skip
    io.write_json(tmp_path / "card.json", card)
    model = networks.prepare(arrays, io.read_json(tmp_path / "card.json"))
    item = problem.make(cell(9), "yx", PHASES, None, SETTINGS | changes)
    assert networks.different(item, model.card, SETTINGS | changes | {"scheme": "rotated"}) == ""
    softer = SETTINGS | changes | {"properties": SETTINGS["properties"] | {"fibre": both["matrix"]}}
    assert "properties" in networks.different(item, model.card, softer)
    turned = SETTINGS | {"phases": PHASES[::-1]}
    assert "phases" in networks.different(item, model.card | {"phases": PHASES}, turned)


def test_a_kernel_of_finer_pixels_keeps_its_waves_and_those_beyond_take_their_direction():
    shape = (16, 16)
    y, x = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij")
    square = np.where((y == 0) & (x == 0), 1.0, y**2 + x**2)
    core = np.fft.ifft2(np.where((y == 0) & (x == 0), 0.0, x**2 / square)).real  # a response by direction alone
    fine = linear_kernel.rescaled(core[None, None].astype(np.float32), (32, 32), 2.0)[0, 0]
    waves = np.fft.fft2(fine)
    for down, right in ((0, 3), (2, 2), (3, 0), (0, 12), (11, 11), (14, 0)):
        expected = right**2 / (down**2 + right**2)
        assert waves[down, right].real == pytest.approx(expected, abs=0.06), (down, right)
    assert abs(waves.imag).max() < 1e-5


def test_a_finer_grid_of_the_same_cells_is_no_stranger_with_its_scale():
    labels = [cell(k) for k in range(12)]
    domain = familiar.fit(np.array([familiar.described(each, 2) for each in labels]))
    fine = np.kron(cell(20), np.ones((2, 2), np.uint8))
    away = [familiar.distance(domain, familiar.described(fine, 2, scale)) for scale in (1.0, 2.0)]
    assert away[1] < 1.0 < away[0]


@pytest.fixture(scope="module")
def ensemble(taught):
    arrays, card = network_learning.learn(
        taught, PHASES, "unet", None, None, {"width": 8, "depth": 2}, training=Training(epochs=2), ensemble=3
    )
    return networks.prepare(arrays, card | {"items": {"train": [], "val": []}})


def test_the_field_of_an_ensemble_is_the_mean_of_its_networks(ensemble, taught):
    item = problem.make(cell(33), "yx", PHASES, None, SETTINGS)
    each = [networks.predict(item, networks.Model([net], ensemble.kernel, ensemble.domain,
                                                  ensemble.card | {"interval": {}}, ensemble.device))
            for net in ensemble.nets]  # fmt: skip
    found = networks.predict(item, ensemble)
    assert len({float(one.answer[0, 0, 0, 0]) for one in each}) == 3 and each[0].half_width is None
    np.testing.assert_allclose(found.answer, np.mean([one.answer for one in each], axis=0), rtol=1e-5, atol=1e-9)
    wide = found.half_width / np.std([one.answer for one in each], axis=0)
    assert (found.half_width > 0).all() and wide.std() > 0  # the width grows with the disagreement, from a floor
    history = ensemble.card["history"]
    assert [row["member"] for row in history] == [0, 0, 1, 1, 2, 2]
    assert (
        ensemble.card["scores"]["left_of_linear_kernel"] <= min(row["left_of_linear_kernel"] for row in history) * 1.02
    )


def test_the_interval_of_an_ensemble_holds_nine_of_ten_true_values(ensemble):
    truths = [(cell(k), solved(cell(k)).field) for k in range(40, 48)]
    rows = [values(predicted(ensemble, *one), "unet") for one in truths]
    assert np.mean([row["interval_coverage"] for row in rows]) == pytest.approx(0.9, abs=0.04)
    # a narrow band that misses, or one as wide as the field itself, would pass one of the two
    assert 0.1 < np.mean([row["interval_half_width"] for row in rows]) < 1.2
    refined, whole = predicted(ensemble, *truths[0], refine=2), predicted(ensemble, *truths[0])
    assert "interval_coverage" not in values(refined, "unet") and not refined.layers
    half, answer, true = whole.layers["half_width"], *(np.split(each, 2)[1] for each in (whole.array, truths[0][1]))
    inside = (np.abs(answer - true) <= half)[[0, 1, 2, 2]].mean()  # a shear stands twice in the tensor
    assert inside == pytest.approx(rows[0]["interval_coverage"], abs=0.002)


def test_an_ensemble_without_validation_cells_has_no_interval(taught):
    alone = [(lesson, "train", item) for lesson, _, item in taught[:4]]
    arrays, card = network_learning.learn(
        alone, PHASES, "cnn3d", None, None, {"width": 4}, training=Training(epochs=1), ensemble=2
    )
    model = networks.prepare(arrays, card)
    assert (
        len(model.nets) == 2
        and networks.predict(problem.make(cell(3), "yx", PHASES, None, SETTINGS), model).half_width is None
    )


def test_an_interval_that_is_half_as_wide_is_found_out():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(2, 100, 100))
    answer = truth + 0.1 * rng.normal(size=truth.shape)
    right = quality.interval(np.full(truth.shape, 0.16449), answer, truth, 2)
    narrow = quality.interval(np.full(truth.shape, 0.08224), answer, truth, 2)
    assert right["interval_coverage"] == pytest.approx(0.9, abs=0.01) and narrow["interval_coverage"] < 0.65
    assert right["interval_half_width"] == pytest.approx(0.1645, rel=0.02)


def test_the_cost_of_a_network_stands_beside_that_of_the_solver_stopped_at_equal_error(model):
    true = solved(cell(31)).field
    own, other = predicted(model, cell(31), true).costs
    assert own["cpu_s"] > 0 and own["field"] == model.card["network"]["name"]
    assert (
        other["field"] == "cut"
        and other["iterations"] == values(predicted(model, cell(31), true), own["field"])["equal_cut_iterations"]
    )
    assert other["cpu_s"] > 0 or np.isnan(other["iterations"])


@pytest.mark.parametrize("method", ["unet", "fno", "cnn3d", "pix2pix"])
@pytest.mark.parametrize("shape", [(1, 16), (16, 1), (3, 3)])
def test_cells_of_few_pixels_are_learned_from_and_predicted(method, shape):
    labels = np.zeros(shape, np.uint8)
    labels.flat[labels.size // 2 :] = 1
    taught = [(solved(labels), "train", f"i{k}") for k in range(3)]
    learn = network_learning.learn_against if method == "pix2pix" else network_learning.learn
    arrays, card = learn(taught, PHASES, method, None, None, {"width": 4}, training=Training(epochs=2))
    model = networks.prepare(arrays, card)
    item = problem.make(labels, "yx", PHASES, None, SETTINGS)
    assert np.isfinite(networks.predict(item, model).answer).all()
