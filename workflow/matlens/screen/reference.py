"""What is known already: the compositions of a table, which a new candidate must not have."""

from pathlib import Path

from matlens import compositions


def formulas(path: str | None) -> frozenset[str]:
    """Read the reduced formulas of a CSV table with a column `formula`, elements in the order of the alphabet.

    None or "" is no reference. ValueError where the table has no such column, or a formula that is none.
    """
    if not path:
        return frozenset()
    from matlens import io

    if not Path(path).exists():
        raise FileNotFoundError(
            f"screen.reference: there is no file '{path}'; name a CSV table with a column 'formula'"
        )
    table = io.read_csv(path)
    if "formula" not in table:
        raise ValueError(f"{path} has no column 'formula'; it has {', '.join(map(str, table.columns))}")
    return frozenset(reduced(str(formula)) for formula in table["formula"].dropna().unique())


def reduced(formula: str) -> str:
    """Write a formula as the index has it: reduced, elements in the order of the alphabet."""
    from pymatgen.core import Composition

    compositions.parse([formula])  # for its message
    parts = Composition(formula).reduced_composition.get_el_amt_dict()
    return "".join(symbol + (f"{parts[symbol]:g}" if parts[symbol] != 1 else "") for symbol in sorted(parts))
