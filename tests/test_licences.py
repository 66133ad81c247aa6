"""Every locked package has its licence listed, and none that the project cannot live with."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


EXCEPTIONS = {
    "codespell": "run by `make lint`; nothing of the project imports it",
    "docutils": "public domain and BSD apart from one file for an editor; Snakemake needs it for its own report",
}


def rows() -> dict[str, list[str]]:
    lines = (ROOT / "docs/licences.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    return {name: rest for name, *rest in cells}


def test_the_list_is_complete_and_of_the_locked_versions():
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    pins = dict(line.split("==") for line in lock if re.match(r"[A-Za-z0-9]", line))
    assert {name: version for name, (version, _) in rows().items()} == pins, "run: make licences"


def test_every_licence_is_stated_and_none_is_strong_copyleft():
    for name, (_, licence) in rows().items():
        assert licence != "not stated", name
        assert name in EXCEPTIONS or not re.search(
            r"AGPL|Affero|(?<!L)GPL(?!-?L)|(?<!Lesser )General Public", licence
        ), f"{name}: {licence}"
