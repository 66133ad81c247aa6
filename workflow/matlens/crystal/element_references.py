"""Reference energies of the elements by the universal potential, for formation energies.

    python -m matlens.crystal.element_references data/weights/chgnet_elements.csv

makes the table from the structures that the Materials Project has of each element (`MP-PBE-Element-Refs.json.gz` of
the set `dft_references`): those that PBE finds among the best are relaxed by the potential, which chooses among them.
"""

import gzip
import json
import sys

import numpy as np
import pandas as pd

from matlens.crystal import compositions, potentials
from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.store import catalog, io

SET = "dft_references", "MP-PBE-Element-Refs.json.gz"
COLUMNS = ("element", "energy_ev_per_atom", "volume_a3_per_atom", "atoms", "pbe_ev_per_atom", "tried")
NEAR_EV, MOST_ATOMS, MOST_TRIED = 0.05, 60, 4
STEPS, FORCE_EV_A = 1000, 0.02


def read(path) -> dict[int, float]:
    """Read the energy of each element, eV per atom, by atomic number."""
    table = io.read_csv(path)
    numbers = [compositions.SYMBOLS.index(symbol) + 1 for symbol in table["element"]]
    return dict(zip(numbers, table["energy_ev_per_atom"].astype(float), strict=True))


def lacking(elements, known: dict[int, float]) -> str | None:
    """Return a message with the elements that lack a reference energy; None if all have one.

    `elements`: symbols or atomic numbers. Their compounds get an energy, and none of formation or above the hull.
    """
    numbers = {compositions.SYMBOLS.index(one) + 1 if isinstance(one, str) else int(one) for one in elements}
    bare = [compositions.SYMBOLS[number - 1] for number in sorted(numbers - set(known))]
    if not bare:
        return None
    return (
        f"no reference energy of {', '.join(bare)} is known by the potential: crystals with them get no formation "
        "energy and no energy above the hull"
    )


def of_formulas(formulas, path) -> str | None:
    """Return the message of `lacking` for the elements of formulas, and in how many of these they are."""
    known, numbers = read(path), compositions.parse(list(formulas))[0]
    bare = (numbers > 0) & ~np.isin(numbers, list(known))
    message = lacking(set(numbers[bare].tolist()), known)
    return f"{message} ({int(bare.any(axis=1).sum())} of {len(numbers)} crystals)" if message else None


def best(structures: list, pbe: list[float]) -> list[tuple[float, Crystal]]:
    """Choose the structures that PBE finds within 0.05 eV per atom of the best, at most four, as they come."""
    known = sorted((e, at) for at, e in enumerate(pbe) if len(structures[at]["sites"]) <= MOST_ATOMS)
    near = [(e, at) for e, at in known if e <= known[0][0] + NEAR_EV][:MOST_TRIED]
    return [(e, _crystal(structures[at])) for e, at in near]


def _crystal(found: dict) -> Crystal:
    """Turn a structure of one element, as pymatgen writes it, into a crystal."""
    number = [compositions.SYMBOLS.index(site["species"][0]["element"]) + 1 for site in found["sites"]]
    frac = np.array([site["abc"] for site in found["sites"]], float)
    return Crystal(np.array(found["lattice"]["matrix"], float), np.array(number, np.uint8), frac)


def row(symbol: str, structures: list, pbe: list[float]) -> dict:
    """Relax the best structures of an element and keep the one of lowest energy; BadItem where none relaxes."""
    made, tried = [], best(structures, pbe)
    for energy, crystal in tried:
        try:
            relaxed, found, _ = potentials.relax(crystal, STEPS, FORCE_EV_A)
        except BadItem as error:
            print(f"{symbol}: {error}", file=sys.stderr)
            continue
        volume = float(abs(np.linalg.det(relaxed.cell))) / len(relaxed.species)
        made.append((round(found, 4), round(volume, 2), len(relaxed.species), round(energy, 4)))
    if not made:
        raise BadItem(f"no structure of {symbol} relaxes")
    return dict(zip(COLUMNS, (symbol, *min(made), len(tried)), strict=True))


def make() -> pd.DataFrame:
    """Relax every element of the potential; one row per element, by atomic number."""
    with gzip.open(catalog.find(*SET), "rt", encoding="utf-8") as file:
        known = json.load(file)
    rows = []
    for symbol in compositions.SYMBOLS[: potentials.LAST_ELEMENT]:
        if symbol in known:
            try:
                rows.append(row(symbol, known[symbol]["structure"], known[symbol]["energy_per_atom"]))
            except BadItem as error:
                print(error, file=sys.stderr)
            else:
                print(*rows[-1].values(), flush=True)
    return pd.DataFrame(rows, columns=list(COLUMNS))


if __name__ == "__main__":
    io.write_csv(sys.argv[1], make())
