"""Draw a part of some items before and after their restoration, and the difference."""

from matlens.job import entry
from matlens.report import overlay
from matlens.restore import preview
from matlens.store import io


def main(
    raw: list, restored: list, index: str, most: int, side_px: int, previews: str, include: list | None = None,
    learned: list = (),
) -> None:  # fmt: skip
    """Write a zip of pictures, `{key}.png`; the items are the same for every method.

    `include`, `learned`: see `preview.shown`.
    """
    ranks = preview.shown(io.read_table(index), include, learned)
    keys, made = set(overlay.first_chosen(ranks, {}, most)), {}
    for before, after in zip(raw, restored, strict=True):
        with io.read_arrays(before) as first, io.read_arrays(after) as last:
            for key in sorted(keys & set(first) & set(last)):
                picture = preview.picture(first[key], last[key], side_px)
                made[f"{key:08d}.png"] = overlay.png(picture)
    io.write_bytes_zip(previews, made)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
