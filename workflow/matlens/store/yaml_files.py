"""Read settings in YAML safely, with the line of every key for messages."""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

DEEPEST = 100  # levels of a file
MOST_VALUES = 200_000  # of one file; a few aliases of aliases make 10^9
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StudyError(ValueError):
    """A file of settings is invalid; the message lists every problem."""


def _construct_mapping(loader, node):
    """Build a mapping. Raises StudyError if a key occurs twice: YAML would silently keep the last."""
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":  # "<<": construct_mapping puts in what it names
            continue
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            mark = key_node.start_mark
            raise StudyError(f"{mark.name}:{mark.line + 1}: key '{key}' is written twice; keep one")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


class _StrictLoader(LOADER):
    """A safe YAML loader that refuses duplicate keys."""


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


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
        tab = "; it begins with a tab: indent by spaces" if mark and _starts_with_tab(path, mark.line) else ""
        raise StudyError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}{tab}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from error


def _starts_with_tab(path: Path, number: int) -> bool:
    """Check whether a line of a file, counted from 0, is indented by a tab."""
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    return number < len(lines) and re.match(r" *\t", lines[number]) is not None


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
