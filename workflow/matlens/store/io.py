"""Every reader and writer of the store, one of each per type of file; every write is atomic."""

from matlens.store.arrays import (
    Arrays,
    ArraysWriter,
    read_arrays,
    spacing_of,
    spacing_ratio,
    unit_interval,
    write_arrays,
)
from matlens.store.files import (
    atomic,
    most_unpacked,
    packer_of,
    read_bytes_zip,
    read_json,
    read_packed,
    sweep,
    write_bytes_zip,
    write_json,
    write_text,
)
from matlens.store.ragged import read_ragged, write_ragged
from matlens.store.tables import (
    concatenate,
    read_csv,
    read_csv_parts,
    read_table,
    shard_rows,
    write_csv,
    write_rejected,
    write_table,
)
from matlens.store.weights import read_checkpoint, read_weights, read_weights_note, write_weights

__all__ = [
    "Arrays",
    "ArraysWriter",
    "atomic",
    "concatenate",
    "most_unpacked",
    "packer_of",
    "read_arrays",
    "read_bytes_zip",
    "read_checkpoint",
    "read_csv",
    "read_csv_parts",
    "read_json",
    "read_packed",
    "read_ragged",
    "read_table",
    "read_weights",
    "read_weights_note",
    "shard_rows",
    "spacing_of",
    "spacing_ratio",
    "sweep",
    "unit_interval",
    "write_arrays",
    "write_bytes_zip",
    "write_csv",
    "write_json",
    "write_ragged",
    "write_rejected",
    "write_table",
    "write_text",
    "write_weights",
]
