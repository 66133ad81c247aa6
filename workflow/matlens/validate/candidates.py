"""Choose the candidates of an engine, with their mole fractions."""

from matlens import columns
from matlens.crystal import compositions

PART = "x_"


def choose(index, shortlists: list, most: int | None):
    """Return the candidates with their mole fractions: those of the index, or the best of each shortlist.

    `most`: how many of each shortlist, or of the index. Compositions stand in columns x_<symbol>, else in `formula`.
    Rows are in the order of the index, so that shards do not depend on anything else.
    """
    if shortlists:
        heads = [table.sort_values("rank", kind="stable").head(most or len(table)) for table in shortlists]
        wanted = {item for table in heads for item in table[columns.ITEM]}
        index = index[index[columns.ITEM].isin(wanted)]
    elif most:
        index = index.head(most)
    index = index.reset_index(drop=True)
    if not any(name.startswith(PART) for name in index.columns):
        index = index.assign(**_shares(index["formula"].tolist()))
    return index


def _shares(formulas: list[str]) -> dict[str, list[float]]:
    numbers, shares = compositions.parse(formulas)
    rows = [
        {compositions.SYMBOLS[z - 1]: share for z, share in zip(zs, xs, strict=True) if z}
        for zs, xs in zip(numbers.tolist(), shares.tolist(), strict=True)
    ]
    symbols = sorted({symbol for row in rows for symbol in row}, key=compositions.SYMBOLS.index)
    return {PART + symbol: [row.get(symbol, 0.0) for row in rows] for symbol in symbols}
