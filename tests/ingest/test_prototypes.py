"""Prototypes have their published symmetry; compounds that are known come out with about their known size."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import spglib
import yaml
from matlens import registry
from matlens.ingest.crystals import prototypes

ROOT = Path(__file__).resolve().parents[2]

# Lattice parameters, in angstrom, of compounds other than or beside those of the table (Wyckoff; Landolt-Boernstein).
KNOWN = {
    ("rock_salt", ("Mg", "O")): 4.212**3 / 4,
    ("rock_salt", ("K", "Cl")): 6.293**3 / 4,
    ("cesium_chloride", ("Cs", "Br")): 4.286**3,
    ("zincblende", ("Zn", "S")): 5.409**3 / 4,
    ("wurtzite", ("Zn", "O")): 47.62,
    ("fluorite", ("Ba", "F")): 6.200**3 / 4,
    ("rutile", ("Sn", "O")): 4.737**2 * 3.186,
    ("perovskite", ("Sr", "Ti", "O")): 3.905**3,
    ("perovskite", ("Ba", "Zr", "O")): 4.193**3,
    ("spinel", ("Mg", "Al", "O")): 8.083**3 / 4,
    ("b2", ("Ni", "Al")): 2.887**3,
    ("l1_2", ("Ni", "Al")): 3.572**3,
    ("l1_2", ("Cu", "Au")): 3.740**3,
    ("l1_0", ("Ti", "Al")): 3.997**2 * 4.062 / 2,
    ("d0_3", ("Fe", "Al")): 5.793**3 / 4,
    ("heusler", ("Co", "Mn", "Si")): 5.654**3 / 4,
    ("half_heusler", ("Ni", "Ti", "Sn")): 5.941**3 / 4,
    ("laves_c15", ("Mg", "Cu")): 7.034**3 / 4,
    ("thcr2si2", ("Ca", "Ni", "Ge")): 4.05**2 * 10.25 / 2,
}
LETTERS = {2: "AX", 3: "ABX"}


def elements_of(name, chosen):
    letters = sorted(set(prototypes.template(name)[1]))
    return {letter: [symbol] for letter, symbol in zip(letters, chosen, strict=True)}


def built(name, chosen):
    (row,) = prototypes.plan(prototypes=[name], elements=elements_of(name, chosen)).to_dict("records")
    return prototypes.read(row)[0]


@pytest.mark.parametrize("name", prototypes.PROTOTYPES)
def test_the_space_group_is_the_published_one(name):
    cell, letters, frac, _ = prototypes.template(name)
    numbers = [ord(letter) for letter in letters]
    assert spglib.get_spacegroup((cell, frac, numbers), 1e-4).endswith(f"({prototypes.PROTOTYPES[name].group})")


@pytest.mark.parametrize(("name", "chosen"), KNOWN)
def test_lengths_of_known_compounds_are_met_to_7_percent(name, chosen):
    volume = abs(np.linalg.det(built(name, chosen).cell))
    assert (volume / KNOWN[name, chosen]) ** (1 / 3) == pytest.approx(1, abs=0.07)


def test_stoichiometry_is_that_of_the_prototype():
    assert np.bincount(built("spinel", ("Mg", "Al", "O")).species)[[12, 13, 8]].tolist() == [2, 4, 8]
    assert np.bincount(built("l1_2", ("Ni", "Al")).species)[[28, 13]].tolist() == [3, 1]
    assert np.bincount(built("thcr2si2", ("Ca", "Ni", "Ge")).species)[[20, 28, 32]].tolist() == [1, 2, 2]


def test_only_neutral_compounds_with_electronegative_anions_pass():
    found = prototypes.plan(
        prototypes=["perovskite"], elements={"A": ["Ca", "Na"], "B": ["Ti", "Nb", "Na"], "X": ["O", "F"]}
    )
    assert set(found["item"]) == {"perovskite-Ca-Ti-O", "perovskite-Na-Nb-O", "perovskite-Ca-Na-F"}
    every = prototypes.plan(
        prototypes=["perovskite"],
        elements={"A": ["Ca", "Na"], "B": ["Ti", "Nb", "Na"], "X": ["O", "F"]},
        neutral=False,
    )
    assert len(every) == 10  # of 12, two have Na twice


def test_crystals_that_differ_in_the_names_of_sites_only_are_listed_once():
    both = ["Ni", "Al"]
    assert len(prototypes.plan(prototypes=["b2"], elements={"A": both, "B": both})) == 1
    assert len(prototypes.plan(prototypes=["l1_2"], elements={"A": both, "B": both})) == 2
    three = {letter: ["Ni", "Ti", "Sn"] for letter in "ABC"}
    assert len(prototypes.plan(prototypes=["half_heusler"], elements=three)) == 3
    assert len(prototypes.plan(prototypes=["heusler"], elements=three)) == 3


def test_prototypes_of_aflow_are_known_by_their_label():
    (row,) = prototypes.plan(prototypes=["AB_cF8_225_a_b"], elements={"A": ["Na"], "B": ["Cl"]}).to_dict("records")
    crystal, _ = prototypes.read(row)
    assert abs(np.linalg.det(crystal.cell)) == pytest.approx(abs(np.linalg.det(built("rock_salt", ("Na", "Cl")).cell)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prototypes": ["perovskit"], "elements": {}}, "did you mean 'perovskite'"),
        ({"prototypes": ["AB_wrong"], "elements": {}}, "unknown 'AB_wrong'"),
        ({"prototypes": ["b2"], "elements": {"A": ["Ni"]}}, "has a site B"),
        ({"prototypes": ["b2"], "elements": {"A": ["Ni"], "B": ["Xx"]}}, "unknown element 'Xx'"),
        ({"prototypes": ["rock_salt"], "elements": {"A": ["Na"], "X": ["O"]}}, "no combination"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        prototypes.plan(**settings)


def test_the_schema_says_the_defaults():
    schema = yaml.safe_load((ROOT / "workflow/schemas/ingest.schema.yaml").read_text())["properties"]["prototypes"]
    options = {}
    for function in (prototypes.plan, prototypes.read):
        options |= registry.options_of(function)
    assert set(options) == set(schema["properties"])
    for name, part in schema["properties"].items():
        assert (name in schema["required"]) == (options[name] is inspect.Parameter.empty)
        assert name in schema["required"] or options[name] == part["default"]


def listed(names, elements, **options):
    return prototypes.plan(prototypes=names, elements=elements, neutral=False, deduplicate=True, **options)


def test_types_that_are_one_crystal_are_listed_once():
    """CsCl and B2 are one type (cP2, 221), and so are AFLOW's rock salt, zinc blende and wurtzite and ours."""
    elements = {"A": ["Ni"], "B": ["Al"], "X": ["Al"]}
    found = listed(["b2", "cesium_chloride"], elements)
    assert found["item"].tolist() == ["b2-Ni-Al"] and found["also"].tolist() == ["cesium_chloride-Ni-Al"]
    for name, label in {
        "rock_salt": "AB_cF8_225_a_b",
        "zincblende": "AB_cF8_216_c_a",
        "wurtzite": "AB_hP4_186_b_b",
    }.items():
        assert listed([name, label], elements)["prototype"].tolist() == [name]


def test_types_of_one_formula_that_differ_stay():
    elements = {"A": ["Ni"], "B": ["Al"], "X": ["Al"]}
    equiatomic = ["b2", "l1_0", "rock_salt", "zincblende", "wurtzite"]
    assert listed(equiatomic, elements)["prototype"].tolist() == equiatomic
    assert listed(["l1_2", "d0_3"], elements)["prototype"].tolist() == ["l1_2", "d0_3"]


def test_the_elements_must_stand_on_the_same_sites():
    """A perovskite with A and B exchanged is another crystal of one formula; AFLOW's with sorted letters is not."""
    elements = {"A": ["Sr", "Ti", "O"], "B": ["Sr", "Ti", "O"], "C": ["Sr", "Ti", "O"], "X": ["O"]}
    found = prototypes.plan(
        prototypes=["perovskite", "AB3C_cP5_221_a_c_b"], elements=elements, neutral=False, deduplicate=True
    )
    kept = found[found["prototype"] == "perovskite"].set_index("item")["also"]
    assert set(kept.index) == {"perovskite-Sr-Ti-O", "perovskite-Ti-Sr-O"}
    assert all(also.startswith("AB3C_cP5_221_a_c_b-") for also in kept)
    twins = found.set_index("item")
    assert not set(kept) & set(twins.index)


def test_many_crystals_are_compared_in_the_time_of_few():
    import time

    metals = ["Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Y", "Zr", "Nb", "Mo", "Ru", "Rh", "Pd", "Ag"]
    elements = {"A": metals, "B": metals, "X": metals}
    listed(["b2", "cesium_chloride"], {"A": ["Ni"], "B": ["Al"], "X": ["Al"]})
    began = time.process_time()
    found = listed(["b2", "cesium_chloride"], elements, electronegativity=False)
    assert len(found) == 18 * 17 / 2 and (found["also"] != "").all()
    assert time.process_time() - began < 5
