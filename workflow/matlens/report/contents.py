"""Collect the contents of the report for every study from existing files."""

from pathlib import Path

from matlens.job import batch, logs, manifest
from matlens.report import html, sources
from matlens.store import io

CHECKED = 100e6  # bytes; larger files are left to `make verify`


def of_study(name: str, content: dict) -> dict:
    """Read the results of one study; absent files are listed as missing."""
    listed = {kind: content[kind] for kind in ("tables", "figures", "overlays")}
    missing = [path for paths in listed.values() for path in paths.values() if not Path(path).exists()]
    tables, figures, zips = (
        {key: path for key, path in paths.items() if path not in missing} for paths in listed.values()
    )
    pictures = {method: io.read_bytes_zip(path) for method, path in zips.items()}
    if any(pictures.values()):
        figures.pop("overlays", None)  # the page has a gallery of them
    keys = {int(file[:8]) for files in pictures.values() for file in files}
    count, known, shapes, names, twice = html.items(
        io.read_csv_parts(tables["items"]) if "items" in tables else [], keys
    )
    averages = [html.averages(key, io.read_csv_parts(tables[key])) for key in html.VALUES if key in tables]
    views = {
        key: html.digest(io.read_csv_parts(path), None if key == "rejected" else html.ROWS)
        for key, path in tables.items()
    }
    if "rejected" not in tables:
        so_far = html.digest(map(io.read_table, batch.rejections(Path("results", name))), None)
        if so_far["count"]:
            views["rejected"], tables["rejected"] = so_far, f"results/{name}/{batch.REJECTED}"
    drawn = {method: {int(file[:8]) for file in files} for method, files in pictures.items()}
    for view in views.values():
        view["links"] = html.links(view, drawn, names, name)
    return {
        **content,
        "settings": html.settings_text(content["settings"]),
        "name": name,
        "sources": [*sources.of_methods(content["entries"]), *content["cited"]],
        "missing": missing,
        "changed": manifest.faults(manifest.records("results", name), CHECKED),
        "failed": [why for _, why in logs.failed(Path("logs", name))] if missing else [],
        "counts": {
            "items": count,
            "known": known,
            "shapes": shapes,
            "twice": twice,
            "rejected": html.rejected(views),
        },
        "summary": html.summary(averages, content["methods"]),
        "remarks": html.remarks(view for key, view in views.items() if key != "rejected"),
        "tables": {key: {"path": tables[key], **view} for key, view in views.items()},
        "figures": {key: html.uri("image/svg+xml", Path(path).read_bytes()) for key, path in figures.items()},
        "overlays": {method: html.gallery(files, names) for method, files in pictures.items()},
    }
