"""Put what a run found into one page that needs no other file and no network."""

import subprocess
from pathlib import Path

from matlens import door, io, report, runs

PAGE = Path(__file__).resolve().parents[1] / "report"


def _commit() -> str:
    """Name the commit of the repository in this folder; "" where there is none."""
    command = ["git", "rev-parse", "--show-prefix", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    prefix, _, commit = done.stdout.partition("\n")
    return commit.strip()[:12] if done.returncode == 0 and not prefix else ""


def _study(name: str, content: dict) -> dict:
    """Read what there is of one study; a file that is not there is named among the missing."""
    listed = {kind: content[kind] for kind in ("tables", "figures", "overlays")}
    missing = [path for paths in listed.values() for path in paths.values() if not Path(path).exists()]
    tables, figures, zips = (
        {key: path for key, path in paths.items() if path not in missing} for paths in listed.values()
    )
    pictures = {method: io.read_bytes_zip(path) for method, path in zips.items()}
    if any(pictures.values()):
        figures.pop("overlays", None)  # the page has a gallery of them
    keys = {int(file[:8]) for files in pictures.values() for file in files}
    count, known, shapes, names = report.items(io.read_csv_parts(tables["items"]) if "items" in tables else [], keys)
    averages = [report.averages(key, io.read_csv_parts(tables[key])) for key in report.VALUES if key in tables]
    views = {
        key: report.digest(io.read_csv_parts(path), None if key == "rejected" else report.ROWS)
        for key, path in tables.items()
    }
    return {
        **content,
        "settings": report.settings_text(content["settings"]),
        "name": name,
        "missing": missing,
        "failed": [why for _, why in runs.failed(Path("logs", name))] if missing else [],
        "counts": {"items": count, "known": known, "shapes": shapes, "rejected": report.rejected(views)},
        "summary": report.summary(averages, content["methods"]),
        "tables": {key: {"path": tables[key], **view} for key, view in views.items()},
        "figures": {key: report.uri("image/svg+xml", Path(path).read_bytes()) for key, path in figures.items()},
        "overlays": {method: report.gallery(files, names) for method, files in pictures.items()},
    }


def main(contents: dict, page: str) -> None:
    """Write the page; `contents` gives for every study its settings and the paths of what to show."""
    parts = {part: (PAGE / f"report.{part}").read_text(encoding="utf-8") for part in ("css", "js")}
    template = (PAGE / "report.html.j2").read_text(encoding="utf-8")
    captions = report.captions((PAGE / "captions.yaml").read_text(encoding="utf-8"))
    studies = [_study(name, content) for name, content in contents.items()]
    values = {"studies": studies, "captions": captions, "versions": report.versions(), "commit": _commit()}
    io.write_text(page, report.render(template, **parts, **values))


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
