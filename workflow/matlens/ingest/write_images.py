"""Write the images of a shard."""

from collections.abc import Callable, Mapping

from matlens import columns, ingest
from matlens.ingest import truth_objects
from matlens.job import batch
from matlens.store import io


def write(read: Callable, items: list[dict], lost: list[dict], outputs: Mapping[str, str]):
    """Write images, truth labels and the table of true objects; return their index."""
    rows, drawn = [], []
    with io.write_arrays(outputs["images"], "lz4") as pixels, io.write_arrays(outputs["truth"]) as labels:
        for item, found in batch.survive(items, read, lost, "ingest"):
            attrs = ingest.describe(found, item[columns.ITEM])
            pixels.add(item[columns.KEY], found.pixels, found.axes, attrs, found.layers)
            if found.truth is not None:
                labels.add(item[columns.KEY], found.truth, found.axes, attrs | truth_objects.phases_in(found))
            rows.append(ingest.index_row(found, item))
            drawn.append((found.objects if found.objects is not None else truth_objects.of_regions(found), found, item))
    io.write_table(outputs["truth_objects"], truth_objects.of_items(drawn))
    for row in rows:
        for note in (columns.SCALE_NOTE, columns.GREY_NOTE, columns.REMARK):
            if row.get(note):
                print(f"{row[columns.ITEM]}: {row[note]}")
    return ingest.index_table(rows)
