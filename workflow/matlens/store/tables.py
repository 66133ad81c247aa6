"""Read and write tables: parquet for jobs, CSV for people."""

import re

from matlens.store.files import atomic

# Text that a spreadsheet would run as a formula, such as the name of an item; a plain "-1.5" or "-rf" is none.
_FORMULA = r"'*(?:[=@\t\r]|[+-].*[(|!])"


def write_table(path, frame) -> None:
    """Write a DataFrame as parquet, without its index."""
    with atomic(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")


def read_table(path):
    """Read a parquet table as a DataFrame."""
    import pandas as pd

    return pd.read_parquet(path)


def concatenate(tables):
    """Concatenate tables, in order; a table without rows adds columns only if all are without rows."""
    import pandas as pd

    tables = list(tables)
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else tables[0]


def write_csv(path, frame) -> None:
    """Write a DataFrame as CSV for people: nine significant digits, no index; formulas get an apostrophe in front."""
    texts = frame.select_dtypes(["object", "string"]).columns
    armed = {name: frame[name].astype(str).str.match(_FORMULA) & frame[name].notna() for name in texts}
    tame = {name: frame[name].mask(mask, "'" + frame[name].astype(str)) for name, mask in armed.items() if mask.any()}
    with atomic(path) as temporary:
        frame.assign(**tame).to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def _as_named(text: str) -> str:
    """Remove the apostrophe that `write_csv` put in front of a formula."""
    return text[1:] if re.match("'" + _FORMULA, text) else text


_IDS = {"item": _as_named, "group": _as_named}


def read_csv(path):
    """Read a CSV table of `write_csv`; item and group stay text, also where they look like numbers."""
    import pandas as pd

    return pd.read_csv(path, converters=_IDS)


def read_csv_parts(path, rows: int = 100_000):
    """Yield a CSV table in parts, for tables larger than memory; a table without rows is one empty part."""
    import pandas as pd

    with pd.read_csv(path, converters=_IDS, chunksize=rows) as parts:
        yield from parts


def write_rejected(path, rows: list[dict]) -> None:
    """Write the `rejected` table of a shard; without rows it has its columns, too."""
    import pandas as pd

    from matlens import columns

    write_table(path, pd.DataFrame(rows, columns=[columns.ITEM, columns.STAGE, columns.REASON], dtype=str))


def shard_rows(items, shard: int, shards: int) -> list[dict]:
    """Return the rows of one shard as dicts; the shards in order make up the whole table."""
    first, last = (len(items) * edge // shards for edge in (shard, shard + 1))
    return items.iloc[first:last].to_dict("records")
