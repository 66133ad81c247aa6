"""Read settings in YAML safely, with the line of every key for messages."""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

DEEPEST = 100  # levels of a file
MOST_VALUES = 200_000  # of one file; a few aliases of aliases make 10^9
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HINTS = {  # part of a message of the parser: what a writer of settings has usually done
    "mapping values are not allowed": "a text with ': ' needs quotes, or the line before lacks its ':'",
    "did not find expected ',' or": "a '{' or '[' is not closed, or a text in it needs quotes (' #' begins a comment)",
    "did not find expected key": "keys of one section begin in the same column",
    "escape character": "a backslash within double quotes is special; use single quotes",
    "did not find expected hex": "a backslash within double quotes is special; use single quotes",
    "could not determine a constructor": "tags (!name) are not read; leave it out",
    "but found another document": "a file has one study; remove the line ---",
    "found undefined alias": "no &name stands above this *name; a text that begins with * needs quotes",
    "unexpected end of stream": "a quote is not closed",
}
LOOKALIKES = {  # characters that word processors put in place of those that YAML knows
    "\u00a0": "a no-break space",
    "\u3000": "a wide space",
    "\u200b": "an invisible space",
    "\u201c": "a curly quote",
    "\u201d": "a curly quote",
    "\u2018": "a curly quote",
    "\u2019": "a curly quote",
    "\uff1a": "a wide colon",
    "\uff0c": "a wide comma",
    "\u2212": "a minus sign that is no hyphen",
    "\u2013": "a dash that is no hyphen",
}


class StudyError(ValueError):
    """A file of settings is invalid; the message lists every problem."""


def _construct_mapping(loader, node):
    """Build a mapping. Raises StudyError if a key occurs twice: YAML would silently keep the last."""
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":  # "<<": construct_mapping puts in what it names
            continue
        key, mark = loader.construct_object(key_node, deep=True), key_node.start_mark
        if isinstance(key, (list, dict)):
            raise StudyError(f"{mark.name}:{mark.line + 1}: a list or mapping stands as a key; a key is a name")
        if key in seen:
            raise StudyError(f"{mark.name}:{mark.line + 1}: key '{key}' is written twice; keep one")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _construct_number(loader, node):
    """Build a number. Raises StudyError if YAML reads another number than a person: 010 is 8, and 1:30 is 90."""
    base = node.tag.rpartition(":")[2]
    number = loader.construct_yaml_int(node) if base == "int" else loader.construct_yaml_float(node)
    if ":" in node.value or re.fullmatch(r"[+-]?0[0-7_]+", node.value):
        mark = node.start_mark
        why = f"YAML reads {node.value} as the number {number}; write that, or '{node.value}' in quotes"
        raise StudyError(f"{mark.name}:{mark.line + 1}: {why}")
    return number


class _StrictLoader(LOADER):
    """A safe YAML loader that refuses duplicate keys, and numbers that are not what they look like."""


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
for _tag in ("int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct_number)


def _check_depth(handle) -> None:
    """Rewind a document after checking its depth. Raises StudyError if it would overflow the stack."""
    depth = 0
    for event in yaml.parse(handle, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise StudyError(f"{handle.name}:{event.start_mark.line + 1}: nested more than {DEEPEST} levels deep")
    handle.seek(0)


def _weigh(node: yaml.Node | None, known: dict | None = None) -> int:
    """Count the values of a document with every alias expanded."""
    known = {} if known is None else known
    if id(node) not in known:
        known[id(node)] = 1  # while it is counted, so that what holds itself ends here
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else []
        parts = node.value if isinstance(node, yaml.SequenceNode) else parts
        known[id(node)] += sum(_weigh(part, known) for part in parts)
    return known[id(node)]


def read_yaml(path: Path) -> tuple[dict, yaml.Node | None]:
    """Read a YAML file as values and as nodes with line numbers. Raises StudyError if it is not valid YAML."""
    try:
        with open(path, encoding="utf-8") as handle:
            _check_depth(handle)
            loader = _StrictLoader(handle)
            node = loader.get_single_node()
            if _weigh(node) > MOST_VALUES:
                raise StudyError(f"{path}: more than {MOST_VALUES} values once its aliases (*name) are written out")
            return (loader.construct_document(node) if node else {}), node
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = str(getattr(error, "problem", "") or str(error).splitlines()[0])
        tab = bool(mark) and _starts_with_tab(path, mark.line)
        hint = "it begins with a tab: indent by spaces" if tab else _hint(problem)
        strange = (lookalikes(path, mark.line + 1) or lookalikes(path, mark.line)) if mark else ""
        why = f"{problem}{f'; {hint}' if hint else ''}{strange}"
        raise StudyError(f"{path}{line}: not valid YAML: {why}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from error


def _hint(problem: str) -> str:
    """Return what usually causes a problem of the parser; "" if nothing is known."""
    return next((hint for part, hint in HINTS.items() if part in problem), "")


def _line(path: Path, number: int) -> str:
    """Return a line of a file, counted from 0; "" if there is none."""
    lines = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
    return lines[number] if 0 <= number < len(lines) else ""


def _starts_with_tab(path: Path, number: int) -> bool:
    """Check whether a line of a file, counted from 0, is indented by a tab."""
    return re.match(r" *\t", _line(path, number)) is not None


def lookalikes(path: str | Path, number: int) -> str:
    """Return a remark on characters of a line, counted from 1, that YAML takes for letters; "" if there are none."""
    found = dict.fromkeys(LOOKALIKES[one] for one in _line(Path(path), number - 1) if one in LOOKALIKES)
    return f"; the line has {' and '.join(found)}: retype it" if found else ""


def text_of(node: yaml.Node | None, keys) -> str:
    """Return a value as it is written in a document; "" if it is no single value, or stands in quotes."""
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and str(key).isdigit():
            node = node.value[int(key)]
    return node.value if isinstance(node, yaml.ScalarNode) and not node.style else ""


def line_of(node: yaml.Node | None, keys) -> int:
    """Return the line of a key in a document, or of the last key that exists."""
    line = node.start_mark.line if node else 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and str(key).isdigit():
            node = node.value[int(key)]
            line = node.start_mark.line
        else:
            break
    return line + 1


def place(path: str | Path, keys: Iterable) -> str:
    """Return `file:line` of a setting by its keys, outermost first; a key may contain dots ("unet.wide")."""
    return f"{path}:{line_of(read_yaml(Path(path))[1], keys)}"
