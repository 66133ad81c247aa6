"""VIA, saved as CSV: a row per region, whose shape and attributes are JSON in its cells."""

import csv
import io
import json

from matlens.ingest.annotations import Page, Shape, text_of, via
from matlens.job.batch import BadItem

SHAPE, ABOUT = "region_shape_attributes", "region_attributes"


def _shape(row: dict, line: int) -> Shape | None:
    """Read one row; None for an image without regions."""
    try:
        region = {SHAPE.removeprefix("region_"): json.loads(row[SHAPE] or "{}")}
        region[ABOUT] = json.loads(row.get(ABOUT) or "{}")
    except ValueError as error:
        return Shape(reason=f"line {line} holds no JSON ({error}); save it from VIA again")
    return via.shape_of(region) if region["shape_attributes"] else None


def read(file: str) -> list[Page]:
    """Return a page per image."""
    rows = csv.DictReader(io.StringIO(text_of(file)))
    pages: dict[str, list] = {}
    for line, row in enumerate(rows, start=2):
        if "filename" not in row or row["filename"] is None or row[SHAPE] is None:
            raise BadItem(f"{file}: line {line} lacks columns of VIA (filename, {SHAPE}); save it from VIA again")
        own, shape = pages.setdefault(row["filename"].strip(), []), _shape(row, line)
        own += [shape] if shape else []
    return [Page(name, tuple(shapes)) for name, shapes in pages.items()]
