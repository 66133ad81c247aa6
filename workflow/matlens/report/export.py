"""Export items with all their labels as OME-Zarr folders."""

import shutil
from pathlib import Path

from matlens import columns
from matlens.report import overlay
from matlens.store import ome_zarr


def clear(folder: Path, first: int, last: float, wanted: set[str]) -> None:
    """Remove the folders of keys from `first` to `last` (exclusive) of an earlier export, except `wanted`."""
    for old in folder.glob("*.ome.zarr*"):
        key = old.name[:8]
        if key.isdigit() and first <= int(key) < last and old.name not in wanted:
            shutil.rmtree(old)


def write(folder: Path, pixels, labels: dict) -> list[dict]:
    """Write one folder per item; each appears when it is complete. Returns a row per item for the manifest.

    pixels: open arrays of a shard; labels: open arrays by the name of the method, or "truth".
    """
    rows, keys = [], {name: set(arrays) for name, arrays in labels.items()}
    for key in pixels:
        attrs = pixels.attrs(key)
        name = ome_zarr.folder_name(key, attrs[columns.ITEM])
        own = {method: arrays[key] for method, arrays in labels.items() if key in keys[method]}
        for path in (folder / name, folder / f"{name}.partial"):
            shutil.rmtree(path, ignore_errors=True)
        ome_zarr.write(folder / f"{name}.partial", pixels[key], attrs["axes"], attrs, own, list(overlay.PALETTE))
        (folder / f"{name}.partial").rename(folder / name)
        rows.append({"key": key, "item": attrs[columns.ITEM], "folder": name, "labels": sorted(own)})
    return rows
