"""Features of crystals, the table that keeps them, and predictions of methods on them on one fold."""

from collections.abc import Callable, Iterable

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.crystal import graphs as flat
from matlens.predict import applicability_domain, descriptors, formulas, surroundings, transforms
from matlens.predict.folds import Fold

SYMPREC_A = 0.1
SYSTEMS = (2, 15, 74, 142, 167, 194)  # last space group of each crystal system but the cubic one
CELL = ("volume_a3_per_atom", "primitive_atoms", "space_group", "crystal_system")


def names() -> list[str]:
    """Name the columns of `described`."""
    return [*compositions.magpie_names(), *CELL, *descriptors.STRUCTURE, *surroundings.names()]


def table(graphs, index):
    """Make the table of the features of crystals, a row each; see `described`. A crystal's do not depend on others."""
    import pandas as pd

    found = pd.DataFrame(described(graphs, index), columns=names())
    found.insert(0, columns.ITEM, graphs.crystals.item.astype(str))
    return found


def joined(tables: Iterable):
    """Join tables of features side by side, as a table whose index is the item; only items that all of them have."""
    import pandas as pd

    return pd.concat([one.set_index(columns.ITEM) for one in tables], axis=1, join="inner")


def described(graphs, index) -> np.ndarray:
    """Describe crystals (n, f): Magpie statistics, volume per atom, space group, contacts, surroundings of atoms.

    Space group, and atoms of the primitive cell, are those of spglib at 0.1 angstrom; group 1, and the cell as it is
    written, if none is found. graphs: of k nearest neighbours. index: their
    rows, with the column formula. Contacts: `descriptors.STRUCTURE`; surroundings: `surroundings.surroundings`.
    """
    groups, atoms = symmetries(graphs)
    return np.column_stack(
        [
            compositions.magpie(index[formulas.FORMULA].astype(str)),
            descriptors.volumes(graphs),
            atoms,
            groups,
            np.searchsorted(SYSTEMS, groups),
            descriptors.structure(graphs),
            surroundings.surroundings(graphs),
        ]
    )


def symmetries(graphs) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the space group and the atoms of the primitive cell of every crystal, both (n,)."""
    import os
    import warnings

    import spglib

    os.environ.setdefault("SPGLIB_WARNING", "OFF")  # it prints lines for every cell that it has to search again
    groups, atoms = np.ones(len(graphs), int), np.array(graphs.atoms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for at, one in enumerate(graphs.crystals):
            try:
                about = spglib.get_symmetry_dataset((one.cell, one.frac, one.species.astype(int)), symprec=SYMPREC_A)
            except Exception:  # spglib raises errors of its own, or gives nothing
                about = None
            if about is not None:
                groups[at], atoms[at] = about.number, len(np.unique(about.mapping_to_primitive))
    return groups, atoms


def fold_predictions(
    method: Callable, x: np.ndarray, graphs, index, fold: Fold, number: int, *, target: str, group: str, transform: str
) -> tuple:
    """Train a method on the features of one fold, and predict its test items.

    `method(x, y, groups, new)` returns an `Answer`; groups are the compositions. x (n, f): features of the graphs.
    Returns the tables of `formulas.fold_predictions`; flags are those of the applicability domain of networks.
    """
    card, domain = applicability_domain.describe(graphs, fold.train)
    train, test = flat.taken(graphs, fold.train), flat.taken(graphs, fold.test)
    flags = applicability_domain.flag_outside(test, card, applicability_domain.distances(test, domain)[1])
    points = applicability_domain.points(train, domain), applicability_domain.points(test, domain)
    y, named = (
        transforms.forward(transform, index[target].to_numpy(float)),
        index[formulas.FORMULA].astype(str).to_numpy(),
    )
    answer = method(x[fold.train], y[fold.train], named[fold.train], x[fold.test])
    return formulas.tables_of(answer, index, fold, number, target, group, transform, flags, points)
