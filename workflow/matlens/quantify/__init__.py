"""Labels in, tables out.

A measure is `measure(labels, ..., *, options)`; its positional arguments say what it takes of what the stage offers:
`labels` (uint8 phase map, 255 not labelled, or int32 region map, -1 not labelled), `truth` (label image or None),
`image` (float32 in [0, 1]), `phases` (their names), `pixel_size_um` (float or None), `spacing` (None, or the spacing of
pixels along each axis over that along x). It returns a DataFrame for one item, with lengths in pixels (`..._px`,
`..._px2`), and warnings in a column `note`; the stage adds the item and the micrometre columns. The name of the measure
is the name of the output.

A measure over a series, `fit(regions, index, *, options)`, takes the merged tables of the measures that its positional
arguments name, and the index; the study must list those measures too.
"""

from collections.abc import Callable, Mapping

from matlens import columns, registry

METHODS = {
    "fractions": "matlens.quantify.fractions:measure",
    "scores": "matlens.quantify.scores:measure",
    "regions": "matlens.quantify.regions:measure",
    "neighbours": "matlens.quantify.neighbours:measure",
    "polygons": "matlens.quantify.polygons:measure",
    "triple_points": "matlens.quantify.polygons:triple_points",
    "topology": "matlens.quantify.topology:measure",
    "sizes": "matlens.quantify.sizes:measure",
    "hardening": "matlens.quantify.hardening:measure",
    "sphere_sizes": "matlens.quantify.stereology:measure",
    "grain_size": "matlens.quantify.grain_size:measure",
    "two_point": "matlens.image.two_point:measure",
    "lineal_path": "matlens.image.lineal_path:measure",
    "cluster": "matlens.image.cluster:measure",
    "chords": "matlens.image.chords:measure",
    "chord_lengths": "matlens.image.chords:distribution",
    "surface": "matlens.quantify.surface:measure",
    "tpb": "matlens.quantify.tpb:measure",
    "percolation": "matlens.image.percolation:measure",
    "tortuosity": "matlens.image.tortuosity:measure",
}
BANDS = {  # for phase maps too large to be read whole
    "fractions": "matlens.quantify.bands:fractions",
    "regions": "matlens.quantify.bands:regions",
    "sizes": "matlens.quantify.bands:sizes",
}
SERIES = {
    "growth": "matlens.quantify.coarsening:growth",
    "coarsening": "matlens.quantify.coarsening:fit",
    "score_groups": "matlens.quantify.score_groups:fit",
}


def rows(function: Callable, item: Mapping, stacks: Mapping, offered: Mapping, options: Mapping):
    """Measure one item and name its rows; the frames of a video are measured one by one.

    `stacks` holds the arrays that have the item's axes (labels, truth, image), those that the measure takes.
    Returns a DataFrame with the item first, and micrometre columns beside the pixel columns.
    """
    import pandas as pd

    if item["axes"].startswith("t"):
        parts = []
        for frame in range(len(next(iter(stacks.values())))):
            cut = {name: None if stack is None else stack[frame] for name, stack in stacks.items()}
            found = registry.call(function, {**offered, **cut}, options)
            found.insert(0, columns.FRAME, frame)
            parts.append(found)
        table = pd.concat(parts, ignore_index=True)
    else:
        table = registry.call(function, {**offered, **stacks}, options)
    table.insert(0, columns.ITEM, item[columns.ITEM])
    if item.get(columns.REMARK):
        own = table[columns.REMARK] if columns.REMARK in table else [""] * len(table)
        table[columns.REMARK] = ["; ".join(filter(None, (item[columns.REMARK], text))) for text in own]
    return columns.calibrate(table, pixel_size(item))


def pixel_size(item: Mapping) -> float | None:
    """Return the width of a pixel in micrometres; None if it, or the distance of the slices, is unknown."""
    known = all(item.get("spacing_um") or [item[columns.PIXEL_SIZE]])
    return item[columns.PIXEL_SIZE] if known else None


def report_remarks(table, stage: str) -> None:
    """Write the remarks on the rows of an item to the log, each once."""
    import sys

    for text in dict.fromkeys(table[columns.REMARK]) if columns.REMARK in table else ():
        if text:
            print(f"{stage}: item {table[columns.ITEM].iloc[0]!r}: {text}", file=sys.stderr)


def stack(tables: list):
    """Concatenate the tables of many items; without any, return an empty table with the item column."""
    import pandas as pd

    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame({columns.ITEM: pd.Series(dtype=str)})
