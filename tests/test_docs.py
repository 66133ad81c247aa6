"""Links, files, tests, commands and studies that the documentation names are there."""

import fnmatch
import re
from functools import cache
from pathlib import Path

import pytest
from matlens.plan import study

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), ROOT / "data/README.md", ROOT / "results/README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = r"workflow|tests|config|docs|data|profiles|benchmarks"
OWN = r"(?:my|mine)"  # beginning of the names of studies of a reader's own
PARTS = {
    "title": "title: mine",
    "phases": "phases: [a, b]",
    "ingest": "ingest: {fibres: {}}",
    "segment": "segment: {otsu: {}}",
    "detect": "detect: {blobs: {}}",
}
PARTS_OF = {"segment": "fields|generate", "detect": "track"}
STUDIES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))


@cache
def names_of_tests() -> set[str]:
    """Return the names of all tests and of their files."""
    files = list((ROOT / "tests").rglob("test_*.py"))
    found = {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    return found | {path.stem for path in files}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    absent = [link for link in links if link and "://" not in link and not (page.parent / link).exists()]
    for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]+\.(?:py|smk|yaml|csv|md|json|svg|safetensors))\b", text):
        if not (ROOT / path).exists() and not Path(path).name.startswith(("my_", "mine")):
            absent.append(path)
    absent += [name for name in re.findall(r"\b(test_[a-z0-9_]+)(?![\w*.]|\.py)", text) if name not in names_of_tests()]
    for module, script in re.findall(r"python (?:-m (matlens[\w.]+)|((?:workflow|benchmarks|docs)/[\w/]+\.py))", text):
        path = Path(f"workflow/{module.replace('.', '/')}.py") if module else Path(script)
        absent += [] if (ROOT / path).exists() else [str(path)]
    assert absent == [], page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_are_those_of_the_makefile(page):
    text, makefile = page.read_text(encoding="utf-8"), (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for line in re.findall(r"^([a-z][a-z -]*):(?!=)", makefile, re.M) for word in line.split()}
    blocks = "".join(re.findall(r"^```.*?^```", text, re.M | re.S))
    named = [*re.findall(r"`make ([a-z][a-z-]*)", text), *re.findall(r"^make ([a-z][a-z-]*)", blocks, re.M)]
    assert set(named) <= targets, page.name
    studies = [name for names in re.findall(r"STUDIES=([\w,]+)", text) for name in names.split(",")]
    absent = [name for name in studies if name not in STUDIES and len(name) > 1 and not re.match(OWN, name)]
    assert absent == [], page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_of_a_page_are_valid(page, tmp_path):
    """A part of a study is completed by a title, phases, and the sections whose outputs its own work on."""
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        whole = f"ingest:\n{block}" if block.startswith(" ") else block
        for section, line in PARTS.items():
            needed = section not in ("segment", "detect") or re.search(rf"^({PARTS_OF[section]}):", whole, re.M)
            if needed and not re.search(rf"^{section}:", whole, re.M):
                whole = f"{line}\n{whole}"
        (tmp_path / "my_study.yaml").write_text(whole, encoding="utf-8")
        read = study.load(tmp_path / "my_study.yaml")
        assert set(re.findall(r"^(\w+):", whole, re.M)) <= set(read), page.name


def test_every_study_is_listed_with_the_studies():
    text = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
    listed = re.findall(r"`([a-z0-9_*]+)`", text)
    assert [name for name in STUDIES if not any(fnmatch.fnmatch(name, each) for each in listed)] == []
    rows = re.findall(r"^\| `([a-z0-9_*]+)`", text, re.M)
    assert [name for name in rows if not fnmatch.filter(STUDIES, name)] == []
