"""Studies: one YAML each, checked against the schema before the first job, with the defaults filled in.

A message names the file and line, the key, what is wrong with the value, and the remedy.
"""

import copy
import re
from functools import cache
from pathlib import Path

import yaml

from matlens.registry import suggest

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
STUDY_NAME = "[a-z0-9_]+"  # it becomes a folder, and a wildcard of every rule
DEEPEST = 100  # levels of a file
MOST_VALUES = 200_000  # of one file; a few aliases of aliases make 10^9
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StudyError(ValueError):
    """A study that must not start; the message lists every problem found in it."""


def _construct_mapping(loader, node):
    """Build a mapping, and refuse a key that is written twice: YAML would silently keep the last."""
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


class _StrictLoader(_Loader):
    """A safe YAML loader that refuses duplicate keys."""


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _check_depth(handle) -> None:
    """Refuse a document that is nested so deep that building it would overflow the stack; then go back to its start."""
    depth = 0
    for event in yaml.parse(handle, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise StudyError(f"{handle.name}:{event.start_mark.line + 1}: nested more than {DEEPEST} levels deep")
    handle.seek(0)


def _weigh(node: yaml.Node | None, known: dict | None = None) -> int:
    """Count the values of a document as if every alias were written out."""
    known = {} if known is None else known
    if id(node) not in known:
        known[id(node)] = 1  # while it is counted, so that what holds itself ends here
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else []
        parts = node.value if isinstance(node, yaml.SequenceNode) else parts
        known[id(node)] += sum(_weigh(part, known) for part in parts)
    return known[id(node)]


def read_yaml(path: Path) -> tuple[dict, yaml.Node | None]:
    """Read a YAML file as values and as nodes, which know their lines; a StudyError says where it does not parse."""
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
        raise StudyError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error


def _starts_with_tab(path: Path, number: int) -> bool:
    """Tell whether a line of a file, counted from 0, is indented by a tab."""
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    return number < len(lines) and re.match(r" *\t", lines[number]) is not None


def _line(node: yaml.Node | None, keys) -> int:
    """Find the line of a key in a document: as deep as the keys can be followed."""
    line = node.start_mark.line if node else 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[key]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _validator():
    """Build the validator of a study; `$ref` finds the schema of each stage beside it."""
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry(retrieve=lambda uri: DRAFT202012.create_resource(read_schema(uri)))
    return jsonschema.Draft202012Validator(read_schema("study.schema.yaml"), registry=registry)


@cache
def read_schema(name: str) -> dict:
    """Read one schema file; in that of a stage the properties are the methods, theirs are the options."""
    return yaml.load((SCHEMAS / name).read_text(encoding="utf-8"), Loader=_Loader)


def _fill(values: dict, schema: dict) -> None:
    """Fill in defaults, only of what the study names: a method that is not a key gets none."""
    for key, part in schema.get("properties", {}).items():
        if "$ref" in part:
            part = read_schema(part["$ref"])
        if key in values and values[key] is None and "object" in str(part.get("type")) and "null" not in part["type"]:
            values[key] = {}
        if key not in values and "default" in part:
            values[key] = copy.deepcopy(part["default"])
        if isinstance(values.get(key), dict):
            _fill(values[key], part)


def _problems(error):
    """Yield, for one schema error, where it is and what would be right."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        what = "method" if len(path) == 1 else "option" if path else "key"
        for unknown in sorted(set(map(str, error.instance)) - set(allowed)):
            yield [*path, unknown], f"unknown {what} '{unknown}'; {suggest(unknown, allowed)}"
    elif error.validator == "enum":
        choices = map(str, error.validator_value)
        yield path, f"'{error.instance}' is not one of the choices; {suggest(error.instance, choices)}"
    elif error.validator == "required":
        for missing in sorted(set(error.validator_value) - set(error.instance)):
            part = error.schema["properties"][missing]
            yield path, f"'{missing}' is missing; add it: {part.get('description', missing)}"
    else:
        remedy = error.schema.get("description", "")
        yield path, f"{error.message}{f' ({remedy})' if remedy else ''}"


def validate(values: dict, path: Path, node: yaml.Node | None = None) -> dict:
    """Check the values of a study and return them with defaults; a StudyError lists everything that is wrong."""
    validator = _validator()
    values = copy.deepcopy(values)
    if not isinstance(values, dict):
        raise StudyError(f"{path}: a study is a mapping of stages, not a {type(values).__name__}")
    _fill(values, validator.schema)
    problems = [problem for error in validator.iter_errors(values) for problem in _problems(error)]
    if not problems:
        problems = list(_disagreements(values))
    if problems:
        placed = sorted({(_line(node, keys), ".".join(map(str, keys)) or "study", text) for keys, text in problems})
        raise StudyError("\n".join(f"{path}:{line}: {key}: {text}" for line, key, text in placed))
    return values


def ingest_method(study: dict) -> str:
    """Name the one ingest method of a study."""
    return next(key for key in study["ingest"] if key != "shards")


def main_table(study: dict) -> str:
    """Name the file of the table to look at first: the one the study names, else that of its first measure."""
    return f"{study['main_table'] or next(iter(study['quantify']), 'items')}.csv"


def _disagreements(study: dict):
    """Yield what a schema cannot say: settings that are right alone and wrong together."""
    methods = [key for key in study["ingest"] if key != "shards"]
    if len(methods) != 1:
        found = f"found {', '.join(methods)}" if methods else "found none"
        yield (
            ["ingest"],
            f"a study has exactly one ingest method; {found}. Put further sources into studies of their own",
        )
    for stage, needs in {"quantify": "segment"}.items():
        if study.get(stage) and not study.get(needs):
            yield [stage], f"'{stage}' works on what '{needs}' makes; add a '{needs}' section"
    if "predict" in study:
        yield from _predict_disagreements(study, study["predict"])


def _predict_disagreements(study: dict, settings: dict):
    """Yield where the features of a prediction are not what the study makes."""
    if settings["labels"] and settings["labels"] not in study["segment"]:
        yield (
            ["predict", "labels"],
            f"'{settings['labels']}' is no method of 'segment'; {suggest(settings['labels'], study['segment'])}",
        )
    for feature in settings["features"]:
        origin = feature.split(".")[0]
        if origin not in ("index", "composition", *study["quantify"]):
            allowed = ["index", "composition", *study["quantify"]]
            yield (
                ["predict", "features"],
                f"'{feature}': no measure '{origin}' in this study; {suggest(origin, allowed)}",
            )


def load(path: str | Path) -> dict:
    """Read, check and complete one study."""
    path = Path(path)
    values, node = read_yaml(path)
    return validate(values, path, node)


def check_needs(studies: dict[str, dict], stage: str, needs: dict[str, list[str]]) -> None:
    """Refuse a study that names a method of a stage without those whose tables it works on.

    `needs` lists, for each such method, the others. A StudyError names every one that is missing.
    """
    lines = [
        f"config/studies/{name}.yaml: {stage}.{method}: works on the table of '{need}'; add '{need}' to '{stage}'"
        for name, study in studies.items()
        for method in study[stage]
        for need in needs.get(method, [])
        if need not in study[stage]
    ]
    if lines:
        raise StudyError("\n".join(lines))


def names_in(text: str) -> list[str]:
    """Split names of studies that commas or blanks part."""
    return text.replace(",", " ").split()


def load_all(names, folder: str | Path) -> dict[str, dict]:
    """Load studies by name from a folder of YAML files; an unknown name is answered with the right ones."""
    folder = Path(folder)
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    names = names_in(names) if isinstance(names, str) else list(names or [])
    if not names:
        raise StudyError(f"no study to build; name some of: {', '.join(known)}")
    for name in names:
        if name not in known:
            other = folder / f"{name}.yml"
            if other.is_file():
                raise StudyError(f"{other}: rename the file to {name}.yaml; studies end so")
            raise StudyError(
                f"config key 'studies': unknown study '{name}' (no {folder / f'{name}.yaml'}); {suggest(name, known)}"
            )
        if not re.fullmatch(STUDY_NAME, name):
            raise StudyError(f"{known[name]}: rename the file; a study's name has lower-case letters, digits and _")
    return {name: load(known[name]) for name in dict.fromkeys(names)}
