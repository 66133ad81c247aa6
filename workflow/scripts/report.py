"""Write the results of a run as one self-contained HTML page."""

from pathlib import Path

from matlens.job import entry
from matlens.job.provenance import commit_here
from matlens.report import html
from matlens.report.contents import of_study
from matlens.store import io
from matlens.store.yaml_files import read_yaml

PAGE = Path(__file__).resolve().parents[1] / "report"


def main(contents: dict, page: str) -> None:
    """Write the page; `contents`: settings of every study, and the paths of the files to show."""
    parts = {part: (PAGE / f"report.{part}").read_text(encoding="utf-8") for part in ("css", "js")}
    template = (PAGE / "report.html.j2").read_text(encoding="utf-8")
    captions = read_yaml(PAGE / "captions.yaml")[0]
    studies = [of_study(name, content) for name, content in contents.items()]
    for path, reason in (fault for study in studies for fault in study["changed"]):
        print(f"changed: {path}: {reason}")
    values = {"studies": studies, "captions": captions, "versions": html.versions(), "commit": commit_here()}
    io.write_text(page, html.render(template, **parts, **values))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
