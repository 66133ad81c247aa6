"""Convergence series and relaxation in a hand-off: its files and its verdict."""

import json

import numpy as np
import pytest
from matlens.crystal.structures import Crystal
from matlens.validate import cells, collect_results, gpaw, qe, series

CANDIDATE = {"item": "a", "formula": "Si", "name": "a", "reason": "", "predicted": {}}


def wurtzite(species: tuple[int, int] = (14, 13)) -> Crystal:
    """Return a wurtzite cell: symmetry leaves c/a and one coordinate free."""
    a, c, u = 3.25, 5.2, 0.382
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, c]])
    frac = np.array([[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, u], [2 / 3, 1 / 3, u + 0.5]])
    return Crystal(cell, np.repeat(species, 2), frac)


def test_the_coarsest_value_from_which_nothing_changes_is_the_converged_one():
    assert np.isnan(series.converged([30, 40, 50, 60], np.array([9.0, 0.5, 3.0, 0.0]), 1.0))
    assert series.converged([30, 40, 50, 60], np.array([9.0, 0.9, -0.4, 0.0]), 1.0) == 40
    assert np.isnan(series.converged([30, 40], np.array([5.0, 0.0]), 1.0))
    assert np.isnan(series.converged([30], np.array([5.0]), 1.0))


def test_a_series_gives_value_against_setting_and_the_choice():
    planned = series.plan({"cutoff_ry": [60, 30, 45], "k_spacing_per_a": [0.2, 0.4, 0.3]})
    assert list(planned.values())[:3] == [{"cutoff_ry": 30.0}, {"cutoff_ry": 45.0}, {"cutoff_ry": 60.0}]
    assert [one["k_spacing_per_a"] for one in list(planned.values())[3:]] == [0.4, 0.3, 0.2]
    energies = dict(zip(planned, [-1.0, -1.0498, -1.05, -1.04, -1.06, -1.05], strict=True))
    made, said = series.conclude(planned, energies, {"cutoff_ry": 40.0, "k_spacing_per_a": 0.2}, 1.0)
    assert made["convergence_cutoff_ry_30"] == (pytest.approx(50.0), "meV/atom", None)
    assert made["converged_cutoff_ry"] == (45.0, "Ry", None)
    assert "converged_k_spacing_per_a" not in made
    assert "45 Ry is" in said[0] and "last step changes the energy by 10.0 meV/atom" in said[1]


def test_a_series_in_another_order_gives_the_same_choice():
    """A manifest lists its runs by name, so that c100 comes before c11."""
    planned = series.plan({"cutoff_ry": [30, 45, 60], "k_spacing_per_a": [0.4, 0.3, 0.2]})
    energies = dict(zip(planned, [-1.0, -1.0498, -1.05, -1.02, -1.0504, -1.05], strict=True))
    used = {"cutoff_ry": 60.0, "k_spacing_per_a": 0.2}
    shuffled = {name: planned[name] for name in sorted(planned, reverse=True)}
    made = series.conclude(planned, energies, used, 1.0)[0]
    assert series.conclude(shuffled, energies, used, 1.0)[0] == made
    assert made["converged_cutoff_ry"][0] == 45 and made["converged_k_spacing_per_a"][0] == 0.3


def test_two_spacings_of_one_mesh_show_no_convergence():
    """They are one calculation: that it equals itself says nothing."""
    planned = series.plan({"k_spacing_per_a": [0.4, 0.21, 0.2]})
    energies = dict(zip(planned, [-1.0, -1.05, -1.05], strict=True))
    meshes = dict(zip(planned, ["[5, 5, 5]", "[10, 10, 10]", "[10, 10, 10]"], strict=True))
    made, said = series.conclude(planned, energies, {"k_spacing_per_a": 0.2}, 1.0, meshes)
    assert "converged_k_spacing_per_a" not in made and "its last step changes the energy by 50.0" in said[0]
    assert series.problems(planned, energies, meshes) == []


def test_an_output_that_was_copied_within_a_series_is_refused():
    planned = series.plan({"cutoff_ry": [30, 45, 60], "k_spacing_per_a": [0.2]})
    energies = dict(zip(planned, [-1.0, -1.05, -1.05, -1.05], strict=True))
    assert series.problems(planned, energies, {}) == [
        "c02: its energy is that of c01 to the last digit, at other settings: one is a copy"
    ]


def test_a_series_keeps_its_cut_offs_whatever_the_error_handlers_change(tmp_path, prepare, hand_over):
    """The last of them raises the cut-off of all volumes; runs of a series at one cut-off would all be equal."""
    made = prepare(points=5, convergence={"cutoff_ry": [30.0, 40.0]})
    folder = hand_over(tmp_path / "s", made)
    assert folder.run("hungry") == 0
    assert "retry=cutoff" in (folder.path / "attempts.log").read_text()
    results = collect_results.results(folder.path)
    manifest = json.loads((folder.path / "manifest.json").read_text())
    found = qe.judge(manifest, results)
    assert found["status"] == "accepted", found["reason"]
    assert found["used"] == {"Si": "33 and 132 Ry"}
    swapped = {**results, "c00.xml": results["c00.xml"].replace(b"<ecutwfc>15.0", b"<ecutwfc>20.0")}
    assert "c00: the cut-off was 40 Ry, not 30 Ry" in qe.judge(manifest, swapped)["reason"]
    wide = {**results, "c00.xml": results["c00.xml"].replace(b'degauss="0.01"', b'degauss="0.015"')}
    assert "differ in degauss_ry" in qe.judge(manifest, wide)["reason"]


def test_a_folder_carries_its_series_and_the_verdict_its_choice(tmp_path, prepare, hand_over):
    made = prepare(points=5, convergence={"cutoff_ry": [30.0, 40.0], "k_spacing_per_a": [0.4, 0.2]})
    folder = hand_over(tmp_path / "s", made)
    assert folder.run() == 0
    found = folder.outcome()
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["converged_cutoff_ry"] == (30.0, "Ry", None)
    assert found["values"]["converged_k_spacing_per_a"][0] == 0.4
    manifest = json.loads((folder.path / "manifest.json").read_text())
    results = collect_results.results(folder.path)
    other = {**results, "c01.xml": results["c00.xml"], "c01.out": results["c00.out"]}
    assert "c01: stale or foreign" in qe.judge(manifest, other)["reason"]
    del results["c02.xml"]
    assert "c02: its outputs are missing" in qe.judge(manifest, results)["reason"]


def test_what_symmetry_leaves_free_is_relaxed_at_constant_volume(prepare):
    made = prepare(crystal=wurtzite(), points=5)
    assert made.manifest["free"] == {"shape": 1, "positions": 1} and made.manifest["relax"]
    assert "calculation = 'vc-relax'" in made.files["v00.in"] and "cell_dofree = 'shape'" in made.files["v00.in"]
    cubic = prepare(points=5)
    assert "calculation = 'scf'" in cubic.files["v00.in"] and not cubic.manifest["note"]


def test_free_parameters_that_stay_are_named_before_any_run(prepare):
    made = prepare(crystal=wurtzite(), points=5, relax=False)
    assert "calculation = 'scf'" in made.files["v00.in"]
    assert "1 parameters of the shape of the cell and 1 coordinates of atoms free" in made.manifest["note"]
    assert "not relaxed" in gpaw.prepare(CANDIDATE, wurtzite(), relax=False).manifest["note"]
    request = json.loads(gpaw.prepare(CANDIDATE, wurtzite()).files["request.json"])
    assert request["moves"] == {"shape": True, "positions": True}


def test_a_relaxed_cell_of_the_same_volume_is_the_same_structure():
    expected = cells.described(wurtzite())
    cell = np.array(expected["cell_a"])
    cell[2] *= 1.03
    cell[:2] /= np.sqrt(1.03)
    given = (cell, expected["species"], expected["frac"])
    assert "of another cell" in cells.difference(expected, 1.0, *given)
    assert cells.difference(expected, 1.0, *given, True, True) == ""
    assert "of another volume" in cells.difference(expected, 1.01, *given, True, True)
    cell[2] *= 2
    cell[:2] /= np.sqrt(2)
    assert "of another cell" in cells.difference(expected, 1.0, *given, True, True)
