"""Hand candidates over to an engine: one self-contained folder per candidate."""

from pathlib import Path

from matlens.crystal import structures as crystals
from matlens.job import entry
from matlens.store import io
from matlens.validate import candidates, engine_inputs, registration


def main(
    index: str, shortlists: list, structures: list, method: str, options: dict, most: int | None, accept: dict,
    add_elements: bool | None, handoffs: str,
) -> None:  # fmt: skip
    """Write the folders, and a table of their checksums, or of the reasons why a folder is absent."""
    known = crystals.by_item(crystals.from_arrays(io.read_ragged(path)) for path in structures)
    ranked = {path: io.read_table(path) for path in shortlists}
    chosen = engine_inputs.describe(candidates.choose(io.read_table(index), list(ranked.values()), most), ranked)
    folder = Path(handoffs).parents[1]
    table = registration.hand_over(chosen, known, method, options, accept, folder, add_elements)
    io.write_table(handoffs, table)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
