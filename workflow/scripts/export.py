"""Export the items of one shard, with all their labels, as OME-Zarr folders for viewers."""

from contextlib import ExitStack
from pathlib import Path

from matlens.job import entry
from matlens.report import export
from matlens.store import io


def main(
    plan: str, images: str, truth: str, labels: list, methods: list, shard: str, shards: int, manifest: str
) -> None:
    """Write a folder per item, and a manifest that lists them; each folder appears when it is complete."""
    folder, total = Path(manifest).parents[1], len(io.read_table(plan))
    first, last = (total * edge // shards for edge in (int(shard), int(shard) + 1))
    with ExitStack() as stack:
        pixels, *marks = (stack.enter_context(io.read_arrays(path)) for path in (images, truth, *labels))
        rows = export.write(folder, pixels, dict(zip(["truth", *methods], marks, strict=True)))
    export.clear(folder, first, last if int(shard) + 1 < shards else float("inf"), {row["folder"] for row in rows})
    io.write_json(manifest, rows)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
