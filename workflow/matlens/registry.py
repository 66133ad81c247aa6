"""Methods by name: a literal table of `name: "module:function"` per room, and nothing imported before it is chosen."""

import dataclasses
import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from matlens import synonyms

MANY = 30  # names that a message lists in full
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Say which names would have been right: the nearest one first, then all of them; of a long list the nearest."""
    allowed, text = sorted(set(allowed)), str(name)
    if not allowed:
        return "there is none"
    near = [right for right in allowed if right.lower() == text.lower()]
    near = near or [right for right in synonyms.MEANT.get(text.lower(), ()) if right in allowed]
    near = near or sorted((right for right in allowed if len(text) > 3 and text in right), key=len)
    near = near or difflib.get_close_matches(text, allowed, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    shown, alike = allowed, near and difflib.SequenceMatcher(None, text, near[0]).ratio()
    if near and len(allowed) > MANY and alike > 0.6:
        shown = sorted({near[0], *difflib.get_close_matches(text, allowed, n=6, cutoff=0.3)})
    rest = f" and {len(allowed) - len(shown)} more" if len(shown) < len(allowed) else ""
    return f"{hint}allowed: {', '.join(shown)}{rest}"


@cache
def table(entry: str) -> Mapping:
    """Import a table by "module:TABLE"."""
    module, name = entry.split(":")
    return getattr(importlib.import_module(module), name)


def method_of(name: str) -> str:
    """Return the method of a variant: "unet" of "unet.wide"; a method without variant is its own."""
    return name.partition(".")[0]


NAME = "[a-z0-9_]+(?:[.][a-z0-9_]+)?"  # of a method, or method.variant


def pattern(table: Iterable[str]) -> str:
    """Return the regular expression of the methods of a table and their variants, for a wildcard."""
    return f"(?:{'|'.join(table)})(?:[.][a-z0-9_]+)?"


def entry(table: Mapping[str, str], name: str) -> str:
    """Return the entry of a method or variant in a table; a KeyError names the right ones."""
    method = method_of(name)
    if method not in table:
        raise KeyError(f"unknown method '{method}'; {suggest(method, table)}")
    return table[method]


def load(table: Mapping[str, str], name: str) -> Callable:
    """Import the function that `table` lists under the method of `name`; a KeyError names the right ones."""
    module, function = entry(table, name).split(":")
    return getattr(importlib.import_module(module), function)


def _is_group(value) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _named_only(function: Callable) -> dict[str, object]:
    """Return the keyword-only arguments of a function with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def options_of(function: Callable) -> dict[str, object]:
    """Return the options of a method, its keyword-only arguments, with their defaults.

    An argument whose default is an instance of a dataclass is a group: it stands for its fields, so that methods can
    share options that are written once.
    """
    found = {}
    for name, default in _named_only(function).items():
        if _is_group(default):
            found |= {field.name: getattr(default, field.name) for field in dataclasses.fields(default)}
        else:
            found[name] = default
    return found


def _grouped(function: Callable, options: Mapping[str, object]) -> dict[str, object]:
    """Put options into the keyword-only arguments of a method, those of a group into one."""
    made = {}
    for name, default in _named_only(function).items():
        if _is_group(default):
            own = {f.name: options[f.name] for f in dataclasses.fields(default) if f.name in options}
            made[name] = dataclasses.replace(default, **own)
        elif name in options:
            made[name] = options[name]
    return made


def inputs_of(function: Callable) -> list[str]:
    """Return what a method asks of its stage: the names of its positional arguments."""
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in POSITIONAL]


def call(function: Callable, offered: Mapping[str, object], options: Mapping[str, object]):
    """Call a method with those of the stage's offers that it names, and its options.

    A stage offers more than one method needs (an image, the truth, the pixel size); a method's
    positional arguments say which of them it takes. Options that belong to a sister function
    of the same method (the `plan` of an ingest method) are left to that one. A positional argument
    with a default may be missing among the offers.
    """
    parameters = inspect.signature(function).parameters
    taken = [
        name for name in inputs_of(function) if name in offered or parameters[name].default is inspect.Parameter.empty
    ]
    return function(**{name: offered[name] for name in taken}, **_grouped(function, options))
