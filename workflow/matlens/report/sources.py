"""References of methods, as their docstrings name them."""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[2]
# "T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301", "Z. Li et al., ICLR 2021", "X. Zhou, arXiv:1904.07850".
AUTHOR = r"(?:(?<![\w-])[A-Z]\.(?:-?[A-Z]\.|\s[A-Z]\.)*\s(?:[a-z]{2,3}\s)?[A-Z][\w'’-]+)"
REFERENCE = re.compile(
    rf"{AUTHOR}(?:(?:,\s|\s&\s|\sand\s){AUTHOR})*(?:\set\sal\.)?,\s"
    r"(?:(?:[A-Z]|npj)[^;()]{1,90}?\s\(?(?:19|20)\d\d\)?(?:,?\s(?:e?\d[\w–-]*|art\. \w+))?|arXiv:[\d.]+\d)"
)


def references(text: str) -> list[str]:
    """List the references in a text, each once."""
    found = REFERENCE.findall(re.sub(r"\s+", " ", text))
    return list(dict.fromkeys(_balanced(one) for one in found))


def _balanced(text: str) -> str:
    """Close a bracket that a reference opens, and leave out one that closes the text around it."""
    return text + ")" if text.count("(") > text.count(")") else text[: len(text) - (")" in text and "(" not in text)]


@cache
def of_entry(entry: str) -> tuple[str, ...]:
    """List the references behind "module:function": of the function or class, then of its module."""
    module, name = entry.split(":")
    path = WORKFLOW.joinpath(*module.split("."))
    path = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = [node for node in tree.body if getattr(node, "name", None) == name]
    return tuple(references("; ".join(ast.get_docstring(node) or "" for node in [*own, tree])))


def of_methods(methods: dict[str, Iterable[str]]) -> list[dict]:
    """List the references of every method (name -> entries); methods that share them share a line."""
    found: dict[tuple, list[str]] = {}
    for method, entries in methods.items():
        named = tuple(dict.fromkeys(one for entry in entries for one in of_entry(entry)))
        if named:
            found.setdefault(named, []).append(method)
    return [{"names": names, "text": "; ".join(texts)} for texts, names in found.items()]
