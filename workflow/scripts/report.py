"""Put what a run found into one page that needs no other file and no network."""

from pathlib import Path

from matlens import door, io, report
from matlens.page import of_study
from matlens.provenance import commit_here

PAGE = Path(__file__).resolve().parents[1] / "report"


def main(contents: dict, page: str) -> None:
    """Write the page; `contents` gives for every study its settings and the paths of what to show."""
    parts = {part: (PAGE / f"report.{part}").read_text(encoding="utf-8") for part in ("css", "js")}
    template = (PAGE / "report.html.j2").read_text(encoding="utf-8")
    captions = report.captions((PAGE / "captions.yaml").read_text(encoding="utf-8"))
    studies = [of_study(name, content) for name, content in contents.items()]
    values = {"studies": studies, "captions": captions, "versions": report.versions(), "commit": commit_here()}
    io.write_text(page, report.render(template, **parts, **values))


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
