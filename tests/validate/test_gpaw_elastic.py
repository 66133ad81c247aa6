"""Results of GPAW for strained cells are checked one by one, and give the constants that made their stresses."""

import json

import numpy as np
import pytest
from matlens.crystal import elasticity
from matlens.validate import fits, gpaw

CANDIDATE = {"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}
C11, C12, C44 = 166.0, 52.0, 76.0  # of silicon; (C11 + 2 C12) / 3 is the bulk modulus of the equation of state
SHIFT = 0.003  # of fractional coordinates, as atoms move in a sheared cell


def stress_of(tensor: np.ndarray) -> np.ndarray:
    """Return the stress (3, 3) of a cubic crystal in its axes, positive in tension, as ASE counts it."""
    made = 2 * C44 * tensor
    np.fill_diagonal(made, (C11 - C12) * np.diag(tensor) + C12 * np.trace(tensor))
    return made


def written(manifest: dict, name: str, cell: np.ndarray, energy: float, stress: np.ndarray, **values) -> dict:
    """Return the two files that the script of a hand-off leaves for one run."""
    answer = {
        "energy_ev": energy, "forces_ev_a": np.zeros((2, 3)).tolist(), "stress_gpa": stress.tolist(),
        "cell_a": cell.tolist(), "species": manifest["structure"]["species"], "frac": manifest["structure"]["frac"],
        "magnetisation": 0.0, "absolute_magnetisation": 0.0, "converged": True, "iterations": 12,
        "k_points": manifest["settings"]["k_points"], "settings": manifest["settings"], "setups": {"Si": "f"},
        "used": {"charge": 0.0, "smearing": "fermi-dirac", "k_offset": [0.0] * 3, "setups": {}, "extras": {}},
        "versions": {"gpaw": "22.8.0"}, "request": manifest["request_sha256"], "volume": name, **values,
    }  # fmt: skip
    text = f"Converged after 12 iterations.\nExtrapolated:  {energy:.6f}\n"
    return {f"{name}.json": json.dumps(answer).encode(), f"{name}.txt": text.encode()}


@pytest.fixture
def answers(silicon):
    """Make the manifest of silicon with strained cells, and the answers that GPAW would give to it."""
    manifest = gpaw.prepare(CANDIDATE, silicon(), elastic_strains=[0.005, 0.01]).manifest
    results: dict = {}
    for name, scale in manifest["scales"].items():
        cell = np.array(manifest["structure"]["cell_a"]) * scale
        x = 40.03 / abs(np.linalg.det(cell))
        energy = -10.0 + 9 / 8 * 90.0 / fits.GPA * 40.03 * (x ** (2 / 3) - 1) ** 2
        pressure = 1.5 * 90.0 * (x ** (7 / 3) - x ** (5 / 3))
        results |= written(manifest, name, cell, energy, -pressure * np.eye(3))
    for name, one in manifest["strained"].items():
        stress = stress_of(elasticity.strain(one["pattern"], one["strain"]))
        frac = np.array(one["structure"]["frac"]) + (SHIFT if one["positions"] else 0.0) * np.array([[0.0], [1.0]])
        cell = np.array(one["structure"]["cell_a"])
        energy = -10.0 + 40.03 / 2 * (stress * elasticity.strain(one["pattern"], one["strain"])).sum() / fits.GPA
        results |= written(manifest, name, cell, energy, stress, frac=frac.tolist())
    return manifest, results


def changed(results: dict, name: str, **values) -> dict:
    answer = json.loads(results[f"{name}.json"])
    settings = {**answer["settings"], **values.pop("settings", {})}
    return {**results, f"{name}.json": json.dumps({**answer, "settings": settings, **values}).encode()}


def test_the_constants_that_made_the_stresses_come_back(answers):
    found = gpaw.judge(*answers)
    assert found["status"] == "accepted", found["reason"]
    values = {name: found["values"][name][0] for name in ("c11_gpa", "c12_gpa", "c44_gpa", "bulk_modulus_vrh_gpa")}
    assert list(values.values()) == pytest.approx([C11, C12, C44, (C11 + 2 * C12) / 3], abs=1e-6)
    assert values["bulk_modulus_vrh_gpa"] == pytest.approx(found["values"]["bulk_modulus_gpa"][0], rel=0.01)


WRONG = {
    "of a strain that is near": (
        lambda m: {"cell_a": (1.0005 * np.array(m["strained"]["e00"]["structure"]["cell_a"])).tolist()},
        "another than was asked",
    ),
    "of another strain": (lambda m: {"cell_a": m["strained"]["e01"]["structure"]["cell_a"]}, "of another cell"),
    "of another request": (lambda m: {"request": "0" * 64}, "stale or foreign"),
    "of another run": (lambda m: {"volume": "e01"}, "stale or foreign"),
    "atoms that moved, though symmetry holds them": (lambda m: {"frac": [[0.0] * 3, [0.27] * 3]}, "at other places"),
    "forces that are left": (lambda m: {"forces_ev_a": [[0.01, 0, 0], [-0.01, 0, 0]]}, "its atoms are not relaxed"),
    "a stress that is no number": (lambda m: {"stress_gpa": [[float("nan")] * 3] * 3}, "cannot be read"),
    "a stress of another strain": (lambda m: {"stress_gpa": (-np.eye(3)).tolist()}, "changes by"),
    "another cut-off": (lambda m: {"settings": {"cutoff_ev": 900.0}}, "differ in cut-off"),
    "other k points": (lambda m: {"k_points": [1, 1, 1]}, "k points"),
    "another data set": (lambda m: {"setups": {"Si": "g"}}, "differ in setups"),
    "another magnetic state": (lambda m: {"magnetisation": 1.0}, "it is in another state"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_strained_cell_that_is_wrong_is_rejected_with_the_reason(answers, name):
    manifest, results = answers
    values, word = WRONG[name]
    found = gpaw.judge(manifest, changed(results, "e00", **values(manifest)))
    assert found["status"] == "rejected" and word in found["reason"], found["reason"]


def test_a_strained_cell_that_is_missing_is_named(answers):
    manifest, results = answers
    found = gpaw.judge(manifest, {key: data for key, data in results.items() if key != "e02.json"})
    assert found["status"] == "rejected" and "e02: its result is missing" in found["reason"]
    assert "c11_gpa" not in found["values"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda stress: stress + (1 - np.eye(3)) * stress, "C44"),  # a factor of two in shear
        (lambda stress: stress - 0.5 * (1 - np.eye(3)) * stress, "C44"),
        (lambda stress: 10 * stress, "C11"),  # kbar for GPa
    ],
)
def test_stresses_that_are_all_wrong_by_one_factor_are_seen_by_the_energies(answers, change, name):
    manifest, results = answers
    for one in manifest["strained"]:
        stress = np.array(json.loads(results[f"{one}.json"])["stress_gpa"])
        results = changed(results, one, stress_gpa=change(stress).tolist())
    found = gpaw.judge(manifest, results)
    assert found["status"] == "rejected" and f"the energies of the strained cells give {name} = " in found["reason"]


def test_stresses_of_the_wrong_sign_are_a_crystal_that_falls_apart(answers):
    """ASE counts tension as positive: pressures taken for stresses would make every constant negative."""
    manifest, results = answers
    for name, one in manifest["strained"].items():
        stress = -stress_of(elasticity.strain(one["pattern"], one["strain"]))
        results = changed(results, name, stress_gpa=stress.tolist())
    found = gpaw.judge(manifest, results)
    assert found["status"] == "rejected" and "mechanically unstable" in found["reason"]
