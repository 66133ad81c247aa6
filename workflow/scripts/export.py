"""Export the items of one shard, with all their labels, as OME-Zarr folders for viewers."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from matlens import columns
from matlens.job import entry
from matlens.report import overlay
from matlens.store import io, ome_zarr


def _clear(folder: Path, first: int, last: float, wanted: set[str]) -> None:
    """Remove folders that an earlier export of these keys left, and no others."""
    for old in folder.glob("*.ome.zarr*"):
        key = old.name[:8]
        if key.isdigit() and first <= int(key) < last and old.name not in wanted:
            shutil.rmtree(old)


def main(
    plan: str, images: str, truth: str, labels: list, methods: list, shard: str, shards: int, manifest: str
) -> None:
    """Write a folder per item, and a manifest that names them; each folder appears when it is whole."""
    folder, made = Path(manifest).parents[1], []
    total = len(io.read_table(plan))
    first, last = (total * edge // shards for edge in (int(shard), int(shard) + 1))
    with ExitStack() as stack:
        pixels, *marks = (stack.enter_context(io.read_arrays(path)) for path in (images, truth, *labels))
        sets = {name: (arrays, set(arrays)) for name, arrays in zip(["truth", *methods], marks, strict=True)}
        for key in pixels:
            attrs = pixels.attrs(key)
            name = ome_zarr.folder_name(key, attrs[columns.ITEM])
            found = {method: arrays[key] for method, (arrays, keys) in sets.items() if key in keys}
            for path in (folder / name, folder / f"{name}.partial"):
                shutil.rmtree(path, ignore_errors=True)
            ome_zarr.write(folder / f"{name}.partial", pixels[key], attrs["axes"], attrs, found, list(overlay.PALETTE))
            (folder / f"{name}.partial").rename(folder / name)
            made.append({"key": key, "item": attrs[columns.ITEM], "folder": name, "labels": sorted(found)})
    _clear(folder, first, last if int(shard) + 1 < shards else float("inf"), {row["folder"] for row in made})
    io.write_json(manifest, made)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
