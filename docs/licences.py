"""Write docs/licences.md: every locked package with its version and licence, from the metadata of what is installed."""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = 60  # some packages put the whole text where its name belongs


TEXTS = {
    "MIT": "Permission is hereby granted, free of charge",
    "BSD": "Redistribution and use in source and binary forms",
    "Apache-2.0": "Apache License",
}


def by_text(package: str) -> str:
    """Tell the licence of a package from the licence file that it brought along; "" where it brought none."""
    files = [path for path in metadata.files(package) or [] if re.search("licen[cs]e|copying", path.name, re.I)]
    text = " ".join(" ".join(path.read_text().split()) for path in files)
    return " and ".join(name for name, words in TEXTS.items() if words in text)


def licence(package: str) -> str:
    """Name the licence of an installed package: its SPDX expression, else its classifier, else what it wrote itself."""
    about = metadata.metadata(package)
    classifiers = [text.split("::")[-1].strip() for text in about.get_all("Classifier", []) if "License ::" in text]
    written = (about.get("License") or "").strip().split("\n")[0]
    named = [text for text in classifiers if text != "OSI Approved"]
    found = about.get("License-Expression") or " and ".join(named) or written or by_text(package)
    return found if len(found) <= SHORT else found[:SHORT] + "..."


def table(lock: str) -> str:
    """Write the table of the packages that a lock file pins."""
    pins = [line.split("==") for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    rows = [f"| {name} | {version} | {licence(name) or 'not stated'} |" for name, version in pins]
    head = "# Licences of the locked packages\n\nMade by `make licences` from requirements.lock.\n"
    return "\n".join([head, "| package | version | licence |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    text = table((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    (ROOT / "docs/licences.md").write_text(text, encoding="utf-8")
