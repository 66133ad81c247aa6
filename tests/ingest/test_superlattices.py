"""Arrangements on a lattice are all there, once each; the quasi-random one is the nearest to a random alloy."""

import numpy as np
import pytest
from matlens.crystal import superlattices as lattices
from matlens.ingest.crystals import superlattices
from matlens.job.batch import BadItem
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

COUNTS = {
    1: 2,
    2: 2,
    3: 6,
    4: 19,
    5: 28,
    6: 80,
}  # of two kinds: Hart and Forcade, Phys. Rev. B 77 (2008) 224115, table IV


def built(item: dict) -> Structure:
    crystal, _ = superlattices.read(item)
    return Structure(Lattice(crystal.cell), crystal.species.tolist(), crystal.frac)


@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
@pytest.mark.parametrize("atoms", COUNTS)
def test_there_are_as_many_arrangements_as_published(lattice, atoms):
    cells = lattices.superlattices(lattice, atoms)
    assert sum(len(lattices.arrangements(lattice, cell)) for cell in cells) == COUNTS[atoms]


def test_known_ordered_alloys_are_among_them_and_no_two_are_one_crystal():
    rows = superlattices.plan(lattice="fcc", pairs=[["Cu", "Au"]]).to_dict("records")
    made = [built(row) for row in rows]
    assert len(made) == 29 and len({row["item"] for row in rows}) == 29
    groups = {(one.composition.reduced_formula, SpacegroupAnalyzer(one).get_space_group_symbol()) for one in made}
    assert {("Cu3Au", "Pm-3m"), ("CuAu", "P4/mmm"), ("CuAu3", "Pm-3m"), ("CuAu", "R-3m")} <= groups  # L1_2, L1_0, L1_1
    matcher = StructureMatcher(primitive_cell=True, scale=True, stol=0.1)
    same = [
        (a, b)
        for k, a in enumerate(made)
        for b in made[:k]
        if a.composition.reduced_formula == b.composition.reduced_formula
    ]
    assert not any(matcher.fit(a, b) for a, b in same)


def test_all_atoms_lie_on_the_lattice():
    for row in superlattices.plan(lattice="bcc", pairs=[["Fe", "Al"]], most_atoms=3).to_dict("records"):
        one = built(row)
        nearest = [min(n.nn_distance for n in one.get_neighbors(site, 4.0)) for site in one]
        count = [sum(n.nn_distance < 1.01 * min(nearest) for n in one.get_neighbors(site, 4.0)) for site in one]
        assert count == [8] * len(one)


def test_pair_correlations_are_those_of_known_order():
    """In L1_2 every A has 12 B neighbours: the first shell has correlation 0 and the second 1, a random alloy 1/4."""
    rows = superlattices.plan(lattice="fcc", pairs=[["Cu", "Au"]]).to_dict("records")
    cubic = next(r for r in rows if built(r).composition.reduced_formula == "Cu3Au" and
                 SpacegroupAnalyzer(built(r)).get_space_group_symbol() == "Pm-3m")  # fmt: skip
    assert cubic["pair_mismatch"] == pytest.approx(np.mean([0.25, 0.75, 0.25, 0.75]))
    assert next(r for r in rows if r["item"] == "fcc-Cu")["pair_mismatch"] == pytest.approx(0)


def test_the_quasi_random_cell_is_the_best_of_its_size_and_composition():
    table = superlattices.plan(lattice="fcc", pairs=[["Cu", "Au"]], most_atoms=1, quasi_random_atoms=4)
    mixed = table[table["quasi_random"]]
    assert len(mixed) == 3
    every = superlattices.plan(lattice="fcc", pairs=[["Cu", "Au"]])
    for row in mixed.to_dict("records"):
        alike = every[
            every["arrangement"].map(lambda text, own=row: sorted(text.split()) == sorted(own["arrangement"].split()))
        ]
        assert row["pair_mismatch"] == pytest.approx(alike["pair_mismatch"].min())


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="unknown element 'Aux'"):
        superlattices.check(lattice="fcc", pairs=[["Cu", "Aux"]])
    with pytest.raises(ValueError, match="Cu, Cu are not two different elements"):
        superlattices.plan(lattice="fcc", pairs=[["Cu", "Cu"]])
    with pytest.raises(ValueError, match=r"unknown 'hcp'; .*allowed: bcc, fcc"):
        superlattices.check(lattice="hcp", pairs=[])
    with pytest.raises(BadItem, match="row of the plan is damaged"):
        superlattices.read({"superlattice": "1 2", "lattice": "fcc", "arrangement": "Cu"})
