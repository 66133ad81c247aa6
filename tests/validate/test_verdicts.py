"""Verdicts as tables: values, formation energies, limits, equations of state."""

import numpy as np
import pytest
from matlens import columns
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.validate import eos, error_handlers, fits, verdicts


def test_a_verdict_has_a_row_for_each_quantity_with_what_was_predicted():
    known = {"item": "a", "predicted": {"log10_bulk_modulus_gpa": 2.0, "formation_energy_ev_per_atom": -0.4}}
    values = {"bulk_modulus_gpa": (98.0, "GPa", 1.5), "formation_energy_ev_per_atom": (-0.43, "eV/atom", None)}
    table = verdicts.table(verdicts.rows(known, "qe", {"values": values}, "c0ffee")).set_index("quantity")
    assert table.loc["bulk_modulus_gpa", ["value", "unit", "uncertainty", "predicted"]].tolist() == [
        98,
        "GPa",
        1.5,
        100,
    ]
    assert table.loc["formation_energy_ev_per_atom", "predicted"] == -0.4
    assert np.isnan(table.loc["formation_energy_ev_per_atom", "uncertainty"])
    assert set(table["status"]) == {"accepted"} and set(table["checksum"]) == {"c0ffee"}
    assert set(verdicts.COLUMNS) <= {columns.ITEM, *MEANING}


def test_a_candidate_without_values_has_one_row_that_says_why():
    failed = {"status": "failed", "reason": "two\nlines", "values": {}}
    table = verdicts.table(verdicts.rows({"item": "a"}, "qe", failed, ""))
    assert table[["status", "reason", "quantity"]].values.tolist() == [["failed", "two lines", ""]]
    assert list(verdicts.table([]).columns) == list(verdicts.COLUMNS)


def outcome(energy: float, **more) -> dict:
    return {"status": "accepted", "values": {"energy_ev_per_atom": (energy, "eV/atom", None)}, **more}


SHARES = {
    "Ni3Al": {"Ni": 0.75, "Al": 0.25},
    "Ni": {"Ni": 1.0},
    "fcc": {"Ni": 1.0},
    "Al": {"Al": 1.0},
    "NiO": {"Ni": 0.5, "O": 0.5},
}


def test_a_formation_energy_is_that_by_hand_from_the_lowest_element():
    told = {
        "Ni3Al": outcome(-5.9),
        "Ni": outcome(-5.5),
        "fcc": outcome(-5.7),
        "Al": outcome(-4.0),
        "NiO": outcome(-6.0),
    }
    verdicts.add_formation(told, SHARES, {})
    assert told["Ni3Al"]["values"][verdicts.FORMATION][0] == pytest.approx(-5.9 + 0.75 * 5.7 + 0.25 * 4.0)
    assert verdicts.FORMATION not in told["NiO"]["values"]  # nobody computed oxygen
    assert verdicts.FORMATION not in told["Ni"]["values"]


@pytest.mark.parametrize("change", ["settings", "status"])
def test_energies_of_other_settings_and_of_rejected_elements_are_never_subtracted(change):
    told = {"Ni3Al": outcome(-5.9), "Ni": outcome(-5.7), "Al": outcome(-4.0)}
    settings = {item: {"Ni": "40 Ry", "Al": "40 Ry"} for item in told}
    if change == "settings":
        settings["Al"] = {"Al": "30 Ry"}
    else:
        told["Al"] = outcome(-4.0, status="rejected")
    verdicts.add_formation(told, SHARES, settings)
    assert verdicts.FORMATION not in told["Ni3Al"]["values"]


def test_limits_turn_an_accepted_candidate_into_a_rejected_one_with_the_reason():
    told = outcome(-5.9)
    assert verdicts.meet(told, {"energy_ev_per_atom": {"max": -5.0}}) == told
    assert "-5.9 is above -6" in verdicts.meet(told, {"energy_ev_per_atom": {"max": -6.0}})["reason"]
    assert "was not computed" in verdicts.meet(told, {"bulk_modulus_gpa": {"min": 100.0}})["reason"]
    failed = {"status": "failed", "reason": "x", "values": {}}
    assert verdicts.meet(failed, {"bulk_modulus_gpa": {"min": 100.0}}) == failed


def murnaghan(volume, energy=-10.0, at=20.0, modulus=150.0, slope=4.5):
    """Birch's equation as it stands in the paper, E(V) in eV."""
    x = (at / volume) ** (2 / 3)
    return energy + 9 * at * modulus / fits.GPA / 16 * ((x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x))


def test_an_equation_of_state_comes_back_and_its_error_is_that_of_many_draws():
    volumes = 20.0 * fits.scales(9, 0.03) ** 3
    fit = fits.birch_murnaghan(volumes, murnaghan(volumes))
    assert fit[:4] == pytest.approx((20.0, -10.0, 150.0, 4.5), rel=1e-6)
    rng = np.random.default_rng(0)
    draws = [fits.birch_murnaghan(volumes, murnaghan(volumes) + rng.normal(0, 1e-4, 9)) for _ in range(400)]
    told = np.median([draw.bulk_modulus_error for draw in draws])
    assert told == pytest.approx(np.std([draw.bulk_modulus for draw in draws]), rel=0.15)


def test_ase_finds_the_same_equation_of_state():
    from ase.eos import EquationOfState
    from ase.units import GPa

    volumes = 20.0 * fits.scales(7, 0.03) ** 3
    energies = murnaghan(volumes) + np.random.default_rng(1).normal(0, 1e-5, 7)
    at, energy, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
    fit = fits.birch_murnaghan(volumes, energies)
    assert (fit.volume, fit.energy, fit.bulk_modulus) == pytest.approx((at, energy, modulus / GPa), rel=1e-5)


@pytest.mark.parametrize(
    ("energies", "word"),
    [
        (lambda v: -murnaghan(v), "no minimum"),
        (lambda v: murnaghan(v, at=16.0), "lies outside"),
        (lambda v: 0.1 * v, "no minimum"),
        (lambda v: murnaghan(v) + 0.05 * np.array([1, -1, 1, -1, 1, -1, 1]), "of all other data"),
    ],
)
def test_energies_that_are_no_equation_of_state_say_so(energies, word):
    volumes = 20.0 * fits.scales(7, 0.03) ** 3
    said = "; ".join(eos.problems(fits.birch_murnaghan(volumes, energies(volumes)), 1, 1.0))
    assert word in said or "below 0" in said


def test_too_few_volumes_or_energies_that_are_no_numbers_are_refused():
    with pytest.raises(BadItem, match="volumes are equal"):
        fits.birch_murnaghan([1, 2, 2, 2], [0, 1, 2, 3])
    with pytest.raises(BadItem, match="not a number"):
        fits.birch_murnaghan([1, 2, 3, 4], [0, 1, np.nan, 3])
    with pytest.raises(BadItem, match="needs 4 different volumes or more, not 3"):
        fits.birch_murnaghan([1, 2, 3], [0, 1, 3])


@pytest.mark.parametrize("engine", error_handlers.LADDERS)
def test_a_ladder_has_at_most_five_rungs_and_never_loosens_what_a_result_is_worth(engine):
    rungs = error_handlers.LADDERS[engine]
    assert len(rungs) <= error_handlers.MOST == 5
    loosening = {"conv_thr", "scf_must_converge", "threshold_ev", "EDIFF", "EDIFFG"}
    assert not loosening & {key for rung in rungs for key in rung["set"]}
    for line in error_handlers.table(engine, {"degauss": 0.02, "ecutwfc": 40.0, "ecutrho": 160.0}).splitlines():
        assert len(line.split()) == 5
