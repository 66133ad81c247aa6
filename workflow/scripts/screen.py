"""Rank the candidates of a study by what is predicted of them."""

from functools import partial

from matlens import registry, screen
from matlens.job import entry
from matlens.screen import reference, shortlist
from matlens.store import io


def main(tables: list, index: str, method: str, options: dict, settings: dict, ranked: str, excluded: str) -> None:
    """Write the shortlist, and what was excluded by which criterion."""
    score = partial(registry.call, registry.load(screen.METHODS, method), options=options)
    found = io.concatenate([io.read_table(path) for path in tables])
    known = reference.known(settings["reference"])
    made, out = shortlist.make(found, io.read_table(index), settings, score, known)
    print(f"{len(made)} of {len(made) + len(out)} candidates on the shortlist; {len(out)} met not all criteria")
    print(out["criterion"].value_counts().to_string() if len(out) else "")
    io.write_table(ranked, made)
    io.write_table(excluded, out)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
