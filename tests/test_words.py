"""Texts that users read hold the words of the field, and none of the project's internal ones."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from matlens.store.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[1]
INTERNAL = r"\b(?:rooms?|houses?|cellars?|doors?|floors?|told|mend(?:s|ed|ing)?|has the word|artefacts?)\b"
WORDS = re.compile(INTERNAL, re.IGNORECASE)
SOURCES = sorted(path for folder in ("workflow", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py"))
PROSE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SCHEMAS = sorted((ROOT / "workflow/schemas").glob("*.yaml"))
KEYS = {"floor"}  # a key of model cards: the smallest error of a calibration


def literals(path: Path):
    """Yield (line, text) of every string constant of a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def descriptions(value):
    """Yield every title and description of a schema."""
    if isinstance(value, dict):
        yield from (value[key] for key in ("title", "description") if isinstance(value.get(key), str))
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from descriptions(part)


def values(value):
    """Yield every string of a YAML value."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values(part)


def faults(path: Path, texts) -> list[str]:
    """List the internal words of texts, with their file."""
    name = str(path.relative_to(ROOT))
    return [f"{name}: {text.strip()[:80]!r}" for text in texts if text not in KEYS and WORDS.search(text)]


def test_string_constants_hold_no_internal_word():
    assert not [fault for path in SOURCES for fault in faults(path, (text for _, text in literals(path)))]


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_guides_hold_no_internal_word(path):
    assert not faults(path, path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_descriptions_hold_no_internal_word(path):
    assert not faults(path, descriptions(yaml.safe_load(path.read_text(encoding="utf-8"))))


def test_captions_and_titles_of_studies_hold_no_internal_word():
    paths = [ROOT / "workflow/report/captions.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))]
    assert not [fault for path in paths for fault in faults(path, values(read_yaml(path)[0]))]


def test_rules_and_commands_hold_no_internal_word():
    paths = [ROOT / "Makefile", ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    assert not [fault for path in paths for fault in faults(path, path.read_text(encoding="utf-8").splitlines())]


@pytest.mark.parametrize("text", ["mend it first", "it is told twice", "An artefact", "CALPHAD has the word"])
def test_internal_words_are_found(text):
    assert WORDS.search(text) and not WORDS.search("recommended; roommate; stolid; fold; amends")
