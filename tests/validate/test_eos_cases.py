"""Equations of state with known answers: the public cases, real runs of GPAW and pw.x, and one wrong value in each."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from matlens.validate import cells, eos, fits, qe_output

FORCE, STRESS, MEV = 0.05, 2.0, 1.0
# Real runs at the default settings (PBE): volume A^3, energy eV, pressure GPa of the cell. pw.x 6.7: PseudoDojo 0.4,
# SG15 for Cu (five volumes, 8 x 8 x 8, offset), gaussian smearing; GPAW 22.8: 700 eV (Si: 500 eV; MgO: 0.3/A). Cu by
# GPAW again: 1000 eV; 21 x 21 x 21 k points and 0.05 eV; and a data set of 19 electrons (3s and 3p valence)
# made by `gpaw dataset Cu -f PBE -s -e 19`.
RUNS = json.loads(Path(__file__).with_name("eos_runs.json").read_text())
# The PAW data set of 11 electrons: the volume is 1.1 % large at any cut-off and mesh.
TOLERANCE = dict.fromkeys(["gpaw Cu", "gpaw-1000eV Cu", "gpaw-21k Cu"], 0.025)
KNOWN = {
    "Si": (20.45, 88.5),
    "MgO": (9.65, 149.0),
    "Cu": (11.95, 140.0),
    "Al": (16.48, 78.1),
}  # all-electron PBE: A^3/atom, GPa


def conclude(table: dict, **changes) -> dict:
    """Judge a table of the cases."""
    points = [dict(point) for point in table["points"]]
    runs = {
        point["name"]: eos.Run(
            point["volume_a3"], point["energy_ev"], 0.0, point["pressure_gpa"] * np.eye(3), point["moment_mu_b"]
        )
        for point in points
    }
    manifest = {
        "structure": {"species": [1] * table["atoms"]}, "scales": dict.fromkeys(runs, 1.0),
        "cubic_cells": table["cubic_cells"], "settings": {"spin": any(p["moment_mu_b"] for p in points)},
    }  # fmt: skip
    return eos.conclude(manifest, [], runs, FORCE, STRESS, MEV)


def fits_one(found: dict, right: dict) -> bool:
    """Check whether an outcome is one of the entries of `right`."""
    if right["verdict"] == "not accepted":
        return found["status"] != "accepted"
    low, high = right.get("bulk_modulus_gpa", (0, np.inf))
    cautious = "caution" in found["reason"]
    inside = low <= found["values"]["bulk_modulus_gpa"][0] <= high
    return found["status"] == "accepted" and inside and cautious == ("caution" in right["verdict"])


@pytest.mark.parametrize("folder", ["01_eos_wrong_modulus", "02_one_energy_wrong"])
def test_the_public_cases_have_their_right_answers(data, folder):
    place = data(f"cases/physics/{folder}")
    wrong = {}
    for one in json.loads((place / "expected.json").read_text())["inputs"]:
        found = conclude(json.loads((place / one["input"]).read_text()))
        if not any(fits_one(found, right) for right in one["right"]):
            wrong[one["input"]] = found["reason"] or found["values"]
    assert not wrong


def table(name: str) -> dict:
    """Make a table as those of the cases of a real run."""
    engine, material = name.split()
    points = [
        {"name": f"v{k:02d}", "volume_a3": v, "energy_ev": e, "pressure_gpa": p, "moment_mu_b": 0.0}
        for k, (v, e, p) in enumerate(RUNS[name])
    ]
    return {"engine": engine, "atoms": 1 if material in ("Al", "Cu") else 2, "cubic_cells": 4, "points": points}


@pytest.mark.parametrize("name", RUNS)
def test_a_true_run_is_accepted_with_the_values_of_pbe(name):
    found = conclude(table(name))
    assert found["status"] == "accepted" and not found["reason"], found["reason"]
    volume, modulus = KNOWN[name.split()[1]]
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(modulus, rel=TOLERANCE.get(name, 0.02))
    assert found["values"]["volume_a3_per_atom"][0] == pytest.approx(volume, rel=0.015)


def test_copper_by_gpaw_differs_by_its_data_set_and_not_by_cut_off_or_mesh():
    modulus = {name: conclude(table(name))["values"]["bulk_modulus_gpa"][0] for name in RUNS if name.endswith("Cu")}
    plain = modulus["gpaw Cu"]
    assert modulus["gpaw-1000eV Cu"] == pytest.approx(plain, rel=0.003)
    assert modulus["gpaw-21k Cu"] == pytest.approx(plain, rel=0.003)
    assert modulus["gpaw-19e Cu"] > 1.02 * plain and modulus["gpaw-19e Cu"] == pytest.approx(140.0, rel=0.01)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("mev", [-10.0, -5.0, 5.0, 10.0])
def test_one_wrong_energy_is_seen_at_any_volume(name, mev):
    for at in range(len(RUNS[name])):
        made = table(name)
        made["points"][at]["energy_ev"] += mev / 1000 * made["atoms"]
        found = conclude(made)
        assert found["status"] == "rejected" and "curve of all other data" in found["reason"], at


@pytest.mark.parametrize("name", RUNS)
def test_one_wrong_stress_is_seen_at_any_volume(name):
    for at in range(len(RUNS[name])):
        made = table(name)
        made["points"][at]["pressure_gpa"] += 0.04 * KNOWN[name.split()[1]][1]
        assert conclude(made)["status"] == "rejected", at


@pytest.mark.parametrize("split", [2, 3, 4])
@pytest.mark.parametrize("name", RUNS)
def test_two_states_that_differ_by_a_few_mev_are_not_one_curve(name, split):
    made = table(name)
    for point in made["points"][:split]:
        point["energy_ev"] += 0.006 * made["atoms"]
    assert conclude(made)["status"] == "rejected"


def law(count: int = 7, modulus: float = 100.0, slope: float = 4.0, at: float = 20.0, strain: float = 0.03) -> dict:
    """Make a table that is a Birch-Murnaghan law."""
    volume = 20.0 * fits.scales(count, strain) ** 3
    x = (at / volume) ** (2 / 3)
    energy = 9 * at * modulus / fits.GPA / 16 * ((x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x))
    pressure = 1.5 * modulus * (x**3.5 - x**2.5) * (1 + 0.75 * (slope - 4) * (x - 1))
    points = [
        {"name": f"v{k:02d}", "volume_a3": v, "energy_ev": e, "pressure_gpa": p, "moment_mu_b": 0.0}
        for k, (v, e, p) in enumerate(zip(volume, energy, pressure, strict=True))
    ]
    return {"atoms": 1, "cubic_cells": 4, "points": points}


@pytest.mark.parametrize(("modulus", "slope", "at"), [(2.0, 6.0, 20.0), (100.0, 4.0, 19.5), (440.0, 3.6, 20.5)])
def test_a_law_gives_its_own_values_back(modulus, slope, at):
    found = conclude(law(modulus=modulus, slope=slope, at=at))
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(modulus, rel=1e-4)
    assert found["values"]["bulk_modulus_derivative"][0] == pytest.approx(slope, rel=1e-3)
    assert found["values"]["volume_a3_per_atom"][0] == pytest.approx(at, rel=1e-5)


@pytest.mark.parametrize("slope", [1.0, 9.0])
def test_a_derivative_that_no_solid_has_is_refused(slope):
    assert "derivative of the bulk modulus" in conclude(law(slope=slope))["reason"]


@pytest.mark.parametrize(("offset", "status"), [(1.0, "accepted"), (5.0, "accepted"), (40.0, "rejected")])
def test_a_pressure_of_the_basis_is_a_caution_and_a_large_one_a_reason(offset, status):
    made = law()
    for point in made["points"]:
        point["pressure_gpa"] += offset * 20.0 / point["volume_a3"]
    found = conclude(made)
    assert found["status"] == status
    assert ("the basis" in found["reason"]) == (offset > 1.0)
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(100.0, rel=1e-3)


MOMENTS = {
    "smooth": ([0.58, 0.60, 0.61, 0.63, 0.65, 0.66, 0.68], "accepted"),
    "a jump": ([0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0], "rejected"),
    "a jump at the end": ([2.2, 2.25, 2.3, 2.35, 2.4, 2.45, 0.0], "rejected"),
    "one volume in another state": ([2.2, 2.25, 2.3, 0.3, 2.4, 2.45, 2.5], "rejected"),
    "turned over": ([0.58, -0.60, 0.61, 0.63, -0.65, 0.66, 0.68], "accepted"),
    "two states in turn": ([0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0], "rejected"),
    "two volumes in another state": ([0.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0], "rejected"),
    "an onset": ([0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.5], "accepted"),
    "a root above an onset": ([0.0, 0.0, 0.0, 0.1, 1.0, 1.42, 1.73], "accepted"),
    "an onset at compression": ([0.9, 0.75, 0.55, 0.2, 0.0, 0.0, 0.0], "accepted"),
    "a jump to a state that grows": ([0.0, 0.0, 0.0, 2.0, 2.05, 2.1, 2.15], "rejected"),
    "a small jump": ([0.0, 0.0, 0.0, 0.6, 0.62, 0.64, 0.66], "rejected"),
    "an onset, then a jump": ([0.0, 0.0, 0.3, 0.5, 2.0, 2.05, 2.1], "rejected"),
    "an onset, then another state": ([0.0, 0.0, 0.3, 0.5, 0.62, 0.0, 0.8], "rejected"),
    "steep": ([1.8, 1.95, 2.1, 2.25, 2.4, 2.55, 2.7], "accepted"),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_change_smoothly(name):
    made, (moments, status) = law(), MOMENTS[name]
    for point, moment in zip(made["points"], moments, strict=True):
        point["moment_mu_b"] = moment
    found = conclude(made)
    assert found["status"] == status, found["reason"]
    assert ("magnetic" in found["reason"]) == (status == "rejected")


def test_volumes_of_one_run_under_all_names_are_named_as_such():
    made = law()
    for point in made["points"]:
        point["volume_a3"] = 20.0
    assert "volumes are equal" in conclude(made)["reason"]


def test_the_fermi_level_in_the_valence_band_of_magnesia_is_seen(data):
    """Cold smearing of pw.x 6.7 took a solution inside the valence band at v04 alone: 4 meV/atom too high."""
    place, wrong = data("cases/physics/01_eos_wrong_modulus"), []
    for path in sorted(place.glob("*.xml.gz")):
        found = qe_output.read_xml(gzip.decompress(path.read_bytes()))
        wrong += [path.name] if any("Fermi level" in one for one in qe_output.problems(found, "")) else []
    assert wrong == ["MgO_v04.xml.gz"]


def test_what_symmetry_leaves_free_is_counted(data):
    from matlens.crystal.structures import Crystal
    from pymatgen.core import Structure

    place = data("cases/physics/12_free_cell_parameters")
    for one in json.loads((place / "expected.json").read_text())["inputs"]:
        found = Structure.from_file(place / one["input"])
        crystal = Crystal(found.lattice.matrix, np.array([s.specie.Z for s in found]), found.frac_coords)
        small, _, group = cells.primitive(crystal)
        free, right = cells.free_parameters(small), one["right"][0]
        assert free == {"shape": right["free_cell_shape"], "positions": right["free_positions"]}, one["input"]
        assert group == right["space_group"]
        assert bool(cells.unrelaxed(free, cells.moves(free, False))) == any(free.values())
        assert not cells.unrelaxed(free, cells.moves(free, None))


def test_settings_of_the_public_cases_that_were_not_asked_for_are_named(data):
    from matlens.validate import qe

    place = data("cases/physics/11_settings_not_compared")
    inputs = json.loads((place / "expected.json").read_text())["inputs"]
    request = inputs[0]["request"]
    asked = {
        "functional": "PBE", "smearing": "cold", "smearing_ry": request["degauss_ry"], "cutoff_ry": 36.0,
        "density_cutoff_ry": 144.0, "k_points": request["k_points"], "spin": False,
    }  # fmt: skip

    def said(path) -> str:
        return "; ".join(qe._settings(qe_output.read_xml(gzip.decompress(path.read_bytes())), asked, 1e-9))

    assert said(data("cases/physics/01_eos_wrong_modulus") / "Si_v02.xml.gz") == ""
    for one in inputs:
        found = said(place / one["input"])
        assert any(word in found for word in one["right"][0]["reason_names_any_of"]), (one["input"], found)
