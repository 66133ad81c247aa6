"""KINDS: kinds of items, with readers, writer and output files.

A writer is `write(read, items, lost, outputs)`. `read(item)` calls the reader of the method; items that cannot be read
are added to `lost` with a reason; `outputs` maps the names of `files` to paths. Returns the index.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matlens import ingest


@dataclass(frozen=True)
class Kind:
    """A kind of items: its readers by method, its writer ("module:function"), and the files of a shard by output name.

    `memory_mb`, `minutes`: resources of a shard, as (base, per item).
    """

    readers: Mapping[str, str]
    writer: str
    files: tuple[str, ...]
    memory_mb: tuple[float, float]
    minutes: tuple[float, float]


KINDS = {
    "images": Kind(
        ingest.METHODS,
        "matlens.ingest.write_images:write",
        ("images", "truth", "truth_objects"),
        (2000, 0.5),
        (10, 0.05),
    ),
    "crystals": Kind(ingest.CRYSTALS, "matlens.ingest.write_crystals:write", ("structures",), (1000, 0.2), (10, 0.005)),
    "compositions": Kind(ingest.COMPOSITIONS, "matlens.ingest.write_compositions:write", (), (1500, 0.02), (10, 0.001)),
    "molecules": Kind(ingest.MOLECULES, "matlens.ingest.write_molecules:write", (), (1500, 0.02), (10, 0.001)),
}
