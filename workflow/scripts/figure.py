"""Draw one figure of a study."""

from functools import partial

from figures import DRAWS, style
from matlens import registry
from matlens.crystal import structures
from matlens.job import entry
from matlens.store import io


def _read(need: str, path: str):
    """Read a table, crystals, or the lossless pictures of a zip by key; of fields, give what opens them."""
    if need.endswith("fields"):
        return partial(io.read_arrays, path)
    if path.endswith(".parquet"):
        return io.read_table(path)
    if path.endswith(".csv"):
        return io.read_csv(path)
    if path.endswith(".zarr.zip"):
        return structures.from_arrays(io.read_ragged(path))
    pictures = io.read_bytes_zip(path)
    return {int(name.removesuffix(".png")): data for name, data in pictures.items() if name.endswith(".png")}


def main(needs: dict, name: str, options: dict, figure: str) -> None:
    """Write an SVG; `needs`: the file of every input, or one file per method."""
    offered = {"published": None} | {
        need: {method: _read(need, path) for method, path in found.items()}
        if isinstance(found, dict)
        else _read(need, found)
        for need, found in needs.items()
    }
    with style.context():
        io.write_text(figure, style.svg(registry.call(registry.load(DRAWS, name), offered, options)))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
