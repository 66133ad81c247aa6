"""Features of items: measures of a study averaged per item, columns of the index, and compositions."""

from matlens import columns, compositions
from matlens.registry import suggest

COMPOSITION = "composition"


def numeric(table, name: str, origin: str):
    """Take one numeric column, or say which there are."""
    if name not in table.columns:
        numeric = [c for c in table.columns if table[c].dtype.kind in "fiub"]
        raise ValueError(f"{origin} has no column '{name}'; {suggest(name, numeric)}")
    if table[name].dtype.kind not in "fiub":
        raise ValueError(f"{origin} column '{name}' is not numeric")
    return table[name].astype(float)


def _measured(table, spec: str, measure: str, column: str):
    """Average a measure over the rows of each item; `measure.column@phase` takes one phase of it."""
    column, _, phase = column.partition("@")
    if phase:
        names = table.get(columns.PHASE_NAME)
        if names is None or phase not in set(names):
            raise ValueError(f"feature '{spec}': no rows of phase '{phase}' in '{measure}'")
        table = table[names == phase]
    values = numeric(table, column, f"feature '{spec}': measure '{measure}'")
    return values.groupby(table[columns.ITEM]).mean()


def build(index, tables: dict, names: list[str]):
    """Build the feature table: one row per item of the index, one column per feature.

    `index`: DataFrame of the items. `tables`: measure name -> DataFrame with the column `item`. `names`: features as
    "index.column", "measure.column", "measure.column@phase" or "composition.column" (Magpie of that index column).
    Returns a DataFrame indexed by item; an item that a measure has no row for has NaN there.
    """
    import pandas as pd

    items = index[columns.ITEM].tolist()
    found = {}
    for spec in names:
        origin, _, column = spec.partition(".")
        if origin == "index":
            found[spec] = numeric(index, column, f"feature '{spec}': index").to_numpy()
        elif origin == COMPOSITION:
            values, labels = compositions.magpie(index[column].astype(str).tolist()), compositions.magpie_names()
            found.update({f"{spec}: {label}": values[:, k] for k, label in enumerate(labels)})
        elif origin in tables:
            found[spec] = _measured(tables[origin], spec, origin, column).reindex(items).to_numpy()
        else:
            raise ValueError(f"feature '{spec}': {suggest(origin, [*tables, 'index', COMPOSITION])}")
    return pd.DataFrame(found, index=pd.Index(items, name=columns.ITEM))
