"""Cell problems: components by name, properties by phase, and label images that cannot be a cell."""

import numpy as np
import pytest
from matlens.fields import effective, methods, problem, report, settings
from matlens.job.batch import BadItem

from .cells import cell

SETTINGS = {
    "quantity": "elastic",
    "properties": {"matrix": {"youngs_gpa": 3.0, "poisson": 0.35}, "fibre": {"youngs_gpa": 70.0, "poisson": 0.2}},
    "loading": {"xx": 0.01},
    "plane": "strain",
    "boundary": "periodic",
}
PHASES = ["matrix", "fibre"]
SOFT = {"matrix": SETTINGS["properties"]["matrix"]}


def made(labels=None, axes="yx", **changes):
    labels = cell() if labels is None else labels
    return problem.make(labels, axes, PHASES, None, SETTINGS | changes)


def test_components_have_the_names_of_their_axes():
    assert settings.components("zyx", "elastic") == ["xx", "yy", "zz", "yz", "xz", "xy"]
    assert settings.components("yx", "elastic") == ["xx", "yy", "xy"]
    assert settings.components("zyx", "conduction") == ["x", "y", "z"]
    load = problem.mean_load({"xx": 1.0, "yz": 0.2}, "zyx", "elastic")
    assert load[2, 2] == 1.0 and load[0, 1] == load[1, 0] == 0.2 and load.sum() == 1.4
    with pytest.raises(BadItem, match="component 'zz', and the image the axes yx"):
        problem.mean_load({"zz": 1.0}, "yx", "elastic")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.where(np.eye(24), 255, cell()).astype(np.uint8), "24 pixels are not labelled"),
        (np.full((8, 8), 2, np.uint8), "phase number 2, and the study names 2"),
        (np.zeros((8, 8), np.int32), "a field needs a phase map"),
        (cell((48, 24))[:24], "opposite sides do not match: .* between two lines inside; set boundary: mirrored"),
    ],
)
def test_labels_that_are_no_cell_are_rejected(labels, words):
    with pytest.raises(BadItem, match=words):
        made(labels)


def test_layers_that_end_at_the_border_are_periodic():
    for labels in (np.repeat([0, 1], 6), np.repeat([0, 0, 1], 4)):
        for turned in (labels[:, None].repeat(9, 1), labels[None].repeat(9, 0)):
            assert made(turned.astype(np.uint8)).labels.size == 108


def test_a_cell_that_is_not_periodic_is_mirrored():
    labels = cell((48, 24))[:24]
    found = made(labels, boundary="mirrored")
    assert found.labels.shape == (48, 48) and problem.mismatch(found.labels)[0] <= problem.mismatch(found.labels)[1]
    with pytest.raises(BadItem, match="leave out the shear"):
        made(labels, boundary="mirrored", loading={"xy": 0.1})


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"properties": {"matrix": SETTINGS["properties"]["matrix"]}}, ["properties"], "'fibre' lacks youngs_gpa"),
        ({"loading": {"xw": 1.0}}, ["loading"], "no component 'xw'"),
        ({"loading": {"xx": 0.0}}, ["loading"], "nothing to solve"),
        ({"properties": SETTINGS["properties"] | {"void": {}}}, ["properties"], "there is no phase 'void'"),
        ({"properties": SETTINGS["properties"] | {"fiber": {}}}, ["properties"], "did you mean 'fibre'?"),
        ({"loading": {"yx": 0.1}}, ["loading"], "did you mean 'xy'?"),
        ({"loading": {"xx": float("nan")}}, ["loading", "xx"], "it is nan; give a finite number"),
        (
            {"properties": SOFT | {"fibre": {"youngs_gpa": float("inf"), "poisson": 0.2}}},
            ["properties", "fibre", "youngs_gpa"],
            "it is inf; give a finite number",
        ),
        (
            {"properties": SOFT | {"fibre": SETTINGS["properties"]["fibre"] | {"yield_gpa": 0.1}}},
            ["properties"],
            "has yield_gpa, which 'elastic' leaves out",
        ),
        ({"hot_spots": {"phase": "Fibre"}}, ["hot_spots", "phase"], "did you mean 'fibre'?"),
        (
            {"properties": SOFT | {"fibre": {"youngs_gpa": 210e9, "poisson": 0.3}}},
            ["properties", "fibre", "youngs_gpa"],
            "2.1e+11 GPa is stiffer than any solid; if it is in Pa or MPa, give GPa",
        ),
    ],
)
def test_settings_that_nothing_could_be_solved_with(changes, key, words):
    found = settings.faults(SETTINGS | changes, PHASES, {"fft": {"scheme": "hexahedra"}})
    assert any(at == key and words in why for at, why in found)
    assert settings.faults(SETTINGS, PHASES, {"fft": {}}) == []


@pytest.mark.parametrize("scheme", ["rotated", "fourier", "hexahedra"])
def test_controls_bound_the_solver(scheme):
    item = made()
    truth = methods.fft(item, scheme=scheme, tol=1e-7)
    rows = {
        name: report.quality_rows(item, field, truth, scheme)
        for name, field in {
            "uniform": methods.uniform(item),
            "phase_means": methods.phase_means(item, truth),
            "cut": methods.cut(item, iterations=4, scheme=scheme),
            "truth": truth,
        }.items()
    }
    assert rows["truth"]["rel_l2"] == 0 and rows["truth"]["load_error"] < 1e-12
    assert scheme == "hexahedra" or abs(rows["truth"]["hill_mandel"]) < 1e-6
    assert rows["cut"]["rel_l2"] < rows["phase_means"]["rel_l2"] < rows["uniform"]["rel_l2"]
    assert rows["phase_means"]["mean_error"] < 1e-12 < rows["uniform"]["mean_error"]
    assert {"rel_l2_phase_0", "rel_l2_phase_1", "q99_error", "peak_error"} <= set(rows["cut"])


@pytest.mark.parametrize(("shape", "axes"), [((16, 16), "yx"), ((10, 12, 14), "zyx")])
@pytest.mark.parametrize("quantity", ["elastic", "conduction"])
def test_effective_values_lie_within_their_bounds(shape, axes, quantity):
    conducts = {"matrix": {"conductivity_w_per_m_k": 1.0}, "fibre": {"conductivity_w_per_m_k": 30.0}}
    changes = {} if quantity == "elastic" else {"quantity": quantity, "properties": conducts, "loading": {"x": 1.0}}
    item = made(cell(shape), axes, **changes)
    names = settings.components(axes, quantity)
    rows = effective.effective_rows(item, names, "rotated", tol=1e-7)
    assert len(rows) == len(names) * (len(names) + 1) // 2 + (2 if quantity == "elastic" else 0)
    for row in rows:
        if row["row"] == row["column"]:
            assert row["reuss"] < row["value"] < row["voigt"]
        if "hashin_shtrikman_low" in row:
            assert 0.9 * row["hashin_shtrikman_low"] < row["value"] < 1.1 * row["hashin_shtrikman_high"]
    field = methods.fft(item, tol=1e-8)
    if quantity == "elastic":  # the load is xx: its column of the stiffness
        last = field.answer.reshape(len(axes), len(axes), -1).mean(axis=-1)[-1, -1]
        assert rows[0]["value"] * 0.01 == pytest.approx(last, rel=1e-5)


def test_the_refined_cell_has_nearly_the_same_field():
    item = made(cell((32, 32)))
    fine = methods.fft(report.refined(item))
    found = methods.fft(item)
    error = np.linalg.norm(report.coarsened(fine.answer, 2) - found.answer) / np.linalg.norm(found.answer)
    assert 0.01 < error < 0.2


def test_an_elastoplastic_cell_yields():
    plastics = {
        name: {**values, "yield_gpa": 0.01, "hardening_gpa": 0.1} for name, values in SETTINGS["properties"].items()
    }
    item = made(quantity="elastoplastic", properties=plastics)
    stress = methods.fft(item, steps=5, tol=1e-5).answer
    assert abs(stress).mean() < 0.8 * abs(methods.fft(made()).answer).mean()


def test_settings_that_a_solver_has_not():
    conducts = {"quantity": "conduction", "properties": {name: {"conductivity_w_per_m_k": 0.0} for name in PHASES}}
    conducts["loading"] = {"x": 1.0}
    plastic = {"quantity": "elastoplastic", "plane": "stress", "loading": {"xy": 0.1}, "boundary": "mirrored"}
    hexahedra = {"fft": {"scheme": "hexahedra"}}
    found = [
        ".".join([*at, why])
        for given in (conducts, plastic)
        for at, why in settings.faults({**SETTINGS, **given}, PHASES, hexahedra)
    ]
    for words in ("fft.scheme.hexahedra", "plane.plane stress", "leave out the shear", "is 0 in every phase"):
        assert any(words in text for text in found), words
    assert settings.faults(SETTINGS, PHASES, {})[0] == ([], "no method: there are only controls; add 'fft: {}'")
    with pytest.raises(BadItem, match="axes tyx"):
        made(cell((4, 8, 8)), "tyx")


def test_plasticity_in_megapascals_or_at_large_strain_and_a_flow_without_a_wall_stop_the_run():
    steel = {"youngs_gpa": 210.0, "poisson": 0.3, "yield_gpa": 250.0, "hardening_gpa": 1.0}
    given = {"quantity": "elastoplastic", "properties": dict.fromkeys(PHASES, steel), "loading": {"xx": 1.0}}
    found = settings.faults(SETTINGS | given, PHASES, {"fft": {}})
    assert [key for key, _ in found] == [["properties", p, "yield_gpa"] for p in PHASES] + [["loading", "xx"]]
    assert "250 GPa is above Young's modulus" in found[0][1] and "0.01 is 1 %" in found[-1][1]
    water = {"quantity": "stokes", "properties": {name: {"viscosity_pa_s": 0.001} for name in PHASES}}
    water["loading"] = {"x": 1.0}
    ((key, why),) = settings.faults(SETTINGS | water, PHASES, {"stokes": {}})
    assert key == ["properties"] and "no phase is a solid" in why
    with pytest.raises(BadItem, match="it has no solid"):
        item = problem.make(np.ones((8, 8), np.uint8), "yx", PHASES, None, SETTINGS | water | {
            "properties": {PHASES[0]: {"viscosity_pa_s": np.inf}, PHASES[1]: {"viscosity_pa_s": 1.0}}})  # fmt: skip
        methods.flow(item)


PLASTIC = {
    name: {**values, "yield_gpa": 0.02, "hardening_gpa": 500.0} for name, values in SETTINGS["properties"].items()
}
CONDUCTS = {"quantity": "conduction", "properties": {name: {"conductivity_w_per_m_k": 1.0} for name in PHASES}}
VOID = {"youngs_gpa": 0.0, "poisson": 0.3}
FREE = {"matrix": {"youngs_gpa": 3.0, "poisson": 0.35, "eigenstrain": 0.01}, "fibre": VOID}


@pytest.mark.parametrize(
    ("changes", "options", "key", "words"),
    [
        ({}, {"fft": {"steps": 50}}, ["fft", "steps"], "'elastic' is linear and has no steps"),
        ({"quantity": "elastoplastic", "properties": PLASTIC}, {"fft": {"steps": 50}},
         ["properties", "fibre", "hardening_gpa"], "a hardening of 500 GPa is above Young's modulus, 70 GPa"),
        ({"properties": SOFT | {"fibre": VOID}, "hot_spots": {"phase": "fibre"}}, {"fft": {}},
         ["hot_spots", "phase"], "the stress of 'fibre' is 0 everywhere: its youngs_gpa is 0"),
        ({"properties": FREE, "cracks": "fibre"}, {"fft": {}}, ["cracks"], "leave out eigenstrain"),
        ({"properties": SOFT | {"fibre": VOID}, "cracks": "fibre", "loading": {"yy": -0.01}}, {"fft": {}},
         ["cracks"], "closes under compression"),
        ({}, {"fft": {}, "unet": {"scale": 2.0, "weights": None}}, ["unet", "scale"], "the scale of weights that are"),
        (CONDUCTS | {"boundary": "mirrored", "loading": {"x": 1.0, "y": 2.0}}, {"fft": {}, "unet": {}}, ["unet"],
         "mirrored cells under a load along one axis, not along x and y"),
        ({"loading": {11: 0.01}}, {"fft": {}}, ["loading"], "there is no component '11'; did you mean 'xx'?"),
        ({"properties": SOFT | {"fibre": VOID | {"eigenstrain": 0.01}}}, {"fft": {}},
         ["properties", "fibre", "eigenstrain"], "'fibre' has no stiffness, and its strain moves nothing"),
        ({"loading": {"xx": -0.01}, "slip_dissolution": {"creep_exponent": 4}, "hot_spots": {"count": 3}}, {"fft": {}},
         ["hot_spots", "stress"], "as large in compression, where no crack opens; set stress: principal"),
    ],
)  # fmt: skip
def test_settings_without_an_effect_or_a_meaning_stop_the_run(changes, options, key, words):
    found = settings.faults(SETTINGS | changes, PHASES, options)
    assert [why for at, why in found if at == key and words in why], found


@pytest.mark.parametrize("changes", [{"loading": {"xx": 0.01, "yy": -0.01}}, {"hot_spots": {"stress": "principal"}}])
def test_cracks_by_slip_and_dissolution_are_followed_under_tension(changes):
    law = {"slip_dissolution": {"creep_exponent": 4}, "loading": {"xx": -0.01}}
    assert settings.faults(SETTINGS | law | changes, PHASES, {"fft": {}}) == []


def test_a_load_along_an_axis_that_images_lack_stops_the_run():
    across = SETTINGS | {"loading": {"zz": 0.01}}
    assert settings.faults(across, PHASES, {"fft": {}}) == []
    ((key, why),) = settings.faults(across, PHASES, {"fft": {}}, "yx")
    assert key == ["loading"] and "there is no component 'zz'" in why and "xx, xy, yy" in why


def test_an_infinite_yield_stress_is_an_elastic_phase_and_no_fault():
    plastic = {"yield_gpa": float("inf"), "hardening_gpa": 0.0}
    both = {name: {**values, **plastic} for name, values in SETTINGS["properties"].items()}
    assert settings.faults(SETTINGS | {"quantity": "elastoplastic", "properties": both}, PHASES, {"fft": {}}) == []


def test_a_void_needs_its_stiffness_alone_and_a_phase_that_never_yields_no_hardening():
    given = {"matrix": {"youngs_gpa": 3.5, "poisson": 0.35}, "fibre": {"youngs_gpa": 0}}
    assert not settings.faults(SETTINGS | {"properties": given}, PHASES, {"fft": {}})
    for quantity, more in (("elastic", {}), ("elastoplastic", {"yield_gpa": float("inf")})):
        given = {"matrix": {"youngs_gpa": 3.5, "poisson": 0.35, **more}, "fibre": {"youngs_gpa": 0}}
        full = {"matrix": given["matrix"] | ({"hardening_gpa": 0.0} if more else {}), "fibre": {"youngs_gpa": 0}}
        full["fibre"] |= {"poisson": 0.2, **({"yield_gpa": 1.0, "hardening_gpa": 1.0} if more else {})}
        found = [SETTINGS | {"quantity": quantity, "properties": each} for each in (given, full)]
        assert not [why for each in found for why in settings.faults(each, PHASES, {"fft": {}})]
        labels = np.zeros((8, 8), np.uint8)
        labels[2:4, 2:4] = 1
        one, two = (problem.make(labels, "yx", PHASES, None, each) for each in found)
        assert all(np.array_equal(a, b) for a, b in zip(one.lame(), two.lame(), strict=True))
    given["matrix"].pop("poisson")
    assert settings.faults(SETTINGS | {"properties": given}, PHASES, {"fft": {}})


def test_moduli_that_no_solid_has_are_remarked_and_strains_above_1_are_refused():
    given = {"matrix": {"youngs_gpa": 3500, "poisson": 0.35}, "fibre": {"youngs_gpa": 1200, "poisson": 0.2}}
    made = problem.make(np.eye(8, dtype=np.uint8), "yx", PHASES, None, SETTINGS | {"properties": given})
    assert problem.beyond_solids(made, PHASES).startswith("stiffer than diamond: matrix (3500 GPa); if the moduli are")
    ((key, why),) = settings.faults(SETTINGS | {"loading": {"xx": 100}}, PHASES, {"fft": {}})
    assert key == ["loading", "xx"] and "a load is a mean strain, no stress, and 100 is 10000 %" in why
    assert not settings.faults(SETTINGS | {"loading": {"xx": 1.0}}, PHASES, {"fft": {}})
