"""One item from labels to tables, and a shard of them through the script of the stage."""

import numpy as np
import pytest
from matlens import fields, registry
from matlens.fields import cells, effective, hot_spots, methods, problem, report
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.store import io

from .cells import cell

PHASES = ["matrix", "fibre"]
ELASTIC = {
    "quantity": "elastic",
    "properties": {"matrix": {"youngs_gpa": 3.0, "poisson": 0.35}, "fibre": {"youngs_gpa": 30.0, "poisson": 0.2}},
    "loading": {"xx": 0.01},
    "plane": "strain",
    "boundary": "periodic",
    "cut": {"iterations": 4},
}
PLASTIC = {name: {**values, "yield_gpa": 0.02, "hardening_gpa": 0.5} for name, values in ELASTIC["properties"].items()}
CONDUCTS = {"matrix": {"conductivity_w_per_m_k": 1.0}, "fibre": {"conductivity_w_per_m_k": 20.0}}
OPTIONS = {"scheme": "rotated", "tol": 1e-6, "iterations": 500, "steps": 4}
SHAPE = 16, 20
ITEM = {"item": "a", "axes": "yx", "pixel_size_um": 0.5}


def solved(labels=None, item=ITEM, options=OPTIONS, spacing=None, **changes):
    labels = cell(SHAPE) if labels is None else labels
    spacing = spacing or (1.0,) * labels.ndim
    return cells.solved(labels, item, methods.fft, "fft", spacing, options, ELASTIC | changes, PHASES)


def value(found, field, measure):
    (row,) = [row for row in found.quality if (row["field"], row["measure"]) == (field, measure)]
    return row["value"]


CASES = {
    "elastic": {},
    "plane stress": {"plane": "stress"},
    "mirrored": {"boundary": "mirrored"},
    "elastoplastic": {"quantity": "elastoplastic", "properties": PLASTIC, "loading": {"xx": 0.02}},
    "conduction": {"quantity": "conduction", "properties": CONDUCTS, "loading": {"x": 1.0}},
    "diffusion": {
        "quantity": "diffusion",
        "properties": {"matrix": {"diffusivity_m2_per_s": 1e-9}, "fibre": {"diffusivity_m2_per_s": 1e-11}},
        "loading": {"y": 1.0},
    },
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_every_item_has_controls_bounds_and_the_difference_from_a_finer_grid(changes):
    found = solved(**changes)
    assert {row["field"] for row in found.quality if row["control"]} == {*fields.CONTROLS}
    assert 0.005 < value(found, "fft", "discretisation") < 0.3
    assert value(found, "fft", "bounds_violated") == 0 and value(found, "fft", "load_error") < 1e-10
    if found.attrs["quantity"] in ("elastic", "conduction"):  # four iterations are few at other contrasts
        assert value(found, "cut", "rel_l2") < value(found, "uniform", "rel_l2")
        assert value(found, "cut", "rel_l2") < value(found, "phase_means", "rel_l2")
    assert value(found, "fft", "border_mismatch") < 1.5
    assert value(found, "cut", "compatibility") < 1e-8 < 1e-4 < value(found, "cut", "equilibrium")
    assert value(found, "phase_means", "compatibility") > 0.1
    assert value(found, "fft", "equilibrium") < 1e-3 and value(found, "fft", "compatibility") < 1e-8
    assert found.array.shape == (len(found.attrs["components"]), 16, 20)
    for rows, names in ((found.effective, cells.EFFECTIVE), (found.quality, cells.QUALITY)):
        assert all(set(row) <= set(names) <= set(MEANING) for row in rows)
    (hot,) = found.hot_spots
    assert set(hot) <= set(cells.HOT_SPOTS) <= {*MEANING, "x_um", "y_um", "z_um"}
    assert hot["mean"] < hot["percentile_99"] < hot["maximum"] and hot["x_um"] == 0.5 * hot["x_px"]


def test_the_components_are_those_of_their_names():
    found = solved(loading={"yy": 0.01}, item=ITEM)
    assert found.attrs["components"] == ["strain_xx", "strain_yy", "strain_xy", "stress_xx", "stress_yy", "stress_xy"]
    np.testing.assert_allclose(found.array[:3].mean(axis=(1, 2)), [0, 0.01, 0], atol=1e-7)
    turned = solved(cell(SHAPE).T.copy(), loading={"xx": 0.01})
    np.testing.assert_allclose(turned.array[3], found.array[4].T, rtol=1e-3, atol=1e-5)


def test_a_laminate_has_the_stiffness_of_backus_and_hexahedra_their_own_stiffness():
    labels = np.repeat([[0], [1], [1]], 4, axis=0).astype(np.uint8).repeat(9, axis=1)
    item = problem.make(labels, "yx", PHASES, None, ELASTIC)
    first, mu = item.lame()
    for scheme in ("rotated", "hexahedra"):
        rows = effective.effective_rows(item, ["xx", "yy", "xy"], scheme, tol=1e-10, iterations=500)
        yy = next(row["value"] for row in rows if row["row"] == row["column"] == "yy")
        xy = next(row["value"] for row in rows if row["row"] == row["column"] == "xy")
        assert yy == pytest.approx(1 / np.mean(1 / (first + 2 * mu)), rel=1e-8)
        assert xy == pytest.approx(1 / np.mean(1 / mu), rel=1e-8)
    blobs = problem.make(cell(SHAPE), "yx", PHASES, None, ELASTIC)
    values = [
        effective.effective_rows(blobs, ["xx", "yy", "xy"], s, tol=1e-7)[0]["value"] for s in ("rotated", "hexahedra")
    ]
    assert values[0] != pytest.approx(values[1], rel=1e-4)


@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_an_isotropic_body_has_its_own_bulk_and_shear_modulus(axes):
    item = problem.make(np.zeros((6,) * len(axes), np.uint8), axes, PHASES, None, ELASTIC)
    rows = effective.effective_rows(item, [*map(str, range(6 if len(axes) == 3 else 3))], "rotated", tol=1e-8)
    mu = 3.0 / 2.7
    bulk = 3.0 / (3 * 0.3) if len(axes) == 3 else 3.0 * 0.35 / (1.35 * 0.3) + mu
    assert [row["value"] for row in rows if row["row"] in ("bulk", "shear")] == pytest.approx([bulk, mu])
    assert effective.violated(rows) == 0


def test_von_mises_counts_the_stress_across_the_plane():
    labels = np.zeros((6, 6), np.uint8)
    for plane, across in (("strain", 0.35), ("stress", 0.0)):
        item = problem.make(labels, "yx", PHASES, None, ELASTIC | {"plane": plane, "loading": {"xx": 0.01}})
        field = methods.fft(item)
        x, y = field.answer[1, 1, 0, 0], field.answer[0, 0, 0, 0]
        z = across * (x + y)
        expected = np.sqrt(((x - y) ** 2 + (y - z) ** 2 + (z - x) ** 2) / 2)
        np.testing.assert_allclose(hot_spots.magnitude(item, field), expected)


def test_a_plastic_body_stands_at_its_yield_stress():
    item = problem.make(
        np.zeros((6, 6), np.uint8), "yx", PHASES, None, ELASTIC | CASES["elastoplastic"] | {"loading": {"xy": 0.05}}
    )
    truth = methods.fft(item, steps=5)
    size = hot_spots.magnitude(item, truth)
    np.testing.assert_allclose(size, size[0, 0])
    assert 0.02 < size[0, 0] < 0.02 + 0.5 * 0.1
    np.testing.assert_allclose(methods.uniform(item).answer, truth.answer, rtol=1e-6)


def test_voids_that_let_nothing_through_give_numbers():
    void = {"matrix": {"youngs_gpa": 3.0, "poisson": 0.3, "yield_gpa": 0.02, "hardening_gpa": 0.0}}
    void["fibre"] = {"youngs_gpa": 0.0, "poisson": 0.3, "yield_gpa": 1.0, "hardening_gpa": 0.0}
    labels = np.zeros((16, 16), np.uint8)
    labels[5:9, 5:9] = 1
    options = OPTIONS | {"tol": 1e-4}
    for quantity in ("elastic", "elastoplastic"):
        found = solved(labels, options=options, quantity=quantity, properties=void)
        assert np.isfinite(found.array).all() and abs(found.array[3:, 6, 6]).max() == 0


def test_a_shard_loses_nothing_and_says_why(tmp_path):
    from scripts import fields as script

    lost = cell(SHAPE)
    lost[0, 0] = 255
    there = {0: cell(SHAPE), 1: lost, 2: np.zeros((16, 20), np.uint8)}
    with io.write_arrays(tmp_path / "labels") as out:
        for key, labels in there.items():
            out.add(key, labels, "yx", {"item": f"i{key}", "pixel_size_um": 0.25, "spacing_um": [0.5, 0.25]})
    made = [tmp_path / name for name in ("fields", "effective", "field_quality", "hot_spots", "costs", "rejected")]
    script.main(tmp_path / "labels", tmp_path / "labels", "fft", OPTIONS, ELASTIC, PHASES, *made)
    with io.read_arrays(made[0]) as found:
        assert list(found) == [0, 2] and found[0].shape == (6, 16, 20) and found[0].dtype == np.float32
        assert found.attrs(0)["spacing_um"] == [0.5, 0.25] and found.attrs(0)["scheme"] == "rotated"
        np.testing.assert_array_equal(found.layer(0, "labels"), there[0])
    tables = [io.read_table(path) for path in made[1:]]
    assert [list(tables[n].columns) for n in range(4)] == [
        list(t) for t in (cells.EFFECTIVE, cells.QUALITY, cells.HOT_SPOTS, cells.COSTS)
    ]
    assert tables[3]["item"].tolist() == ["i0", "i2"] and (tables[3]["cpu_s"] >= 0).all()
    assert set(tables[0]["item"]) == {"i0", "i2"} and tables[4]["item"].tolist() == ["i1"]
    assert "1 pixels are not labelled" in tables[4]["reason"][0]
    assert set(tables[0][tables[0]["item"] == "i2"]["remark"]) == {"it has no fibre"}


def test_a_method_whose_items_are_all_rejected_has_scores_without_rows(tmp_path):
    from scripts import field_scores as script

    io.write_table(tmp_path / "field_quality", cells.table([], cells.QUALITY))
    script.main(tmp_path / "field_quality", tmp_path / "field_scores")
    full, none = report.scores(cells.table(solved().quality, cells.QUALITY)), io.read_table(tmp_path / "field_scores")
    assert len(none) == 0 < len(full) and list(none.columns) == list(full.columns)


def test_items_that_a_solver_has_solved_do_not_better_the_score_of_a_network():
    rows = [row for item, error, by in (("a", 0.1, ""), ("b", 0.3, ""), ("c", 0.0, "fft"))
            for row in cells.tidy({"item": item, "split": "test"}, "unet", {"rel_l2": error}, False, by)]  # fmt: skip
    found = report.scores(cells.table(rows, cells.QUALITY)).set_index("solved_by")
    assert found["mean"].to_dict() == pytest.approx({"": 0.2, "fft": 0.0})
    assert found["items"].to_dict() == {"": 2, "fft": 1}


def test_a_field_that_has_not_converged_is_rejected():
    with pytest.raises(BadItem, match="not converged"):
        solved(options=OPTIONS | {"iterations": 2})


def test_methods_and_controls_keep_their_contract():
    for name in fields.METHODS:
        function = registry.load(fields.METHODS, name)
        if name in fields.LEARNERS:
            assert {"problem", "model"} <= set(registry.inputs_of(function)) and name in fields.PREPARES
            continue
        assert registry.inputs_of(function) == ["problem"]
        assert {"tol", "iterations", "scheme"} <= set(registry.options_of(function))
    for name in fields.CONTROLS:
        function = registry.load(fields.CONTROLS, name)
        assert set(registry.inputs_of(function)) <= {"problem", "truth", "scheme"}


def test_a_published_field_is_compared_by_component():
    found = solved()
    own = found.array[found.attrs["components"].index("strain_xx")].astype(float)
    away = own + 0.1 * (own - own.mean())
    seen = cells.compared(found, {"strain_xx": own, "stress_xx": 2.0 * found.array[3]}, ITEM, "fft.own")
    assert value(seen, "fft", "published_rel_l2_strain_xx") == 0.0
    assert value(seen, "fft", "published_rel_l2_stress_xx") == pytest.approx(0.5)
    seen = cells.compared(found, {"strain_xx": away}, ITEM, "fft")
    assert value(seen, "fft", "published_rel_l2_fluctuation_strain_xx") == pytest.approx(0.1 / 1.1, rel=1e-3)


def test_voxels_whose_height_is_not_known_are_taken_as_cubes_and_it_is_said():
    labels = cell((8, 10, 12))
    known = {"item": "v", "axes": "zyx", "pixel_size_um": 0.5, "spacing_um": [2.0, 0.5, 0.5]}
    for item, said in ((known | {"spacing_um": [None, 0.5, 0.5]}, True), (known, False)):
        (words,) = {row["remark"] for row in solved(labels, item, spacing=io.spacing_ratio(item, "zyx")).effective}
        assert ("along z is not known: voxels are taken as cubes" in words) is said
