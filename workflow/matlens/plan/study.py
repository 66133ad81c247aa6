"""Studies: one YAML each, checked against the schema before the first job, with the defaults filled in.

A message names the file and line, the key, what is wrong with the value, and the remedy.
"""

import copy
import re
from functools import cache
from pathlib import Path

import yaml

from matlens.plan import outputs
from matlens.plan.stages import STAGES
from matlens.plan.structure import disagreements
from matlens.registry import method_of, suggest
from matlens.store.yaml_files import LOADER, StudyError, line_of, read_yaml

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
VARIANT = "[a-z0-9_]+[.][a-z0-9_]+"  # method.variant
STUDY_NAME = "[a-z0-9_]+"  # it becomes a folder, and a wildcard of every rule


def _validator(schemas: dict[str, dict]):
    """Build the validator of a study; `$ref` finds the schema of each stage, in `schemas` if it is there."""
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry(retrieve=lambda uri: DRAFT202012.create_resource(schema_of(uri, schemas)))
    return jsonschema.Draft202012Validator(read_schema("study.schema.yaml"), registry=registry)


def schema_of(name: str, schemas: dict[str, dict]) -> dict:
    """Return the schema of a study's own, with its variants, or that of the file."""
    return schemas.get(name) or read_schema(name)


def own_schemas(values: dict) -> dict[str, dict]:
    """Return the schemas of the stages of a study, by file name, with its variants and the option `of`."""
    found = {}
    for stage in (*STAGES, "figures"):
        given = values.get(stage)
        if not isinstance(given, dict):
            continue
        schema = read_schema(f"{stage}.schema.yaml")
        known = set(outputs.family(stage)) if stage in STAGES else set(schema["properties"])
        own = {**schema["properties"], **_working_on(stage, schema["properties"])}
        for name in filter(re.compile(VARIANT).fullmatch, map(str, given)):
            if method_of(name) in known & set(own):
                own[name] = own[method_of(name)]
        found[f"{stage}.schema.yaml"] = {**schema, "properties": own}
    return found


def _working_on(stage: str, parts: dict[str, dict]) -> dict[str, dict]:
    """Add the option `of` to the methods of a stage that can work on the outputs of several others."""
    about = STAGES.get(stage)
    able = outputs.family(stage, *about.able) if about and about.of else ()
    return {name: _with_of(parts[name], about.measures) for name in able if name in parts}


def _with_of(part: dict, many: bool) -> dict:
    option = read_schema("of.schema.yaml")["properties"]["many" if many else "one"]
    return {**part, "properties": {**part.get("properties", {}), "of": option}}


@cache
def read_schema(name: str) -> dict:
    """Read one schema file; in that of a stage the properties are the methods, theirs are the options."""
    schema = yaml.load((SCHEMAS / name).read_text(encoding="utf-8"), Loader=LOADER)
    if name == "study.schema.yaml":
        for stage in STAGES:
            schema["properties"].setdefault(stage, {"$ref": f"{stage}.schema.yaml"})
    return schema


def _fill(values: dict, schema: dict, schemas: dict[str, dict]) -> None:
    """Fill in the defaults of the methods that a study names."""
    for key, part in schema.get("properties", {}).items():
        if "$ref" in part:
            part = schema_of(part["$ref"], schemas)
        if key in values and values[key] is None and "object" in str(part.get("type")) and "null" not in part["type"]:
            values[key] = {}
        if key not in values and "default" in part:
            values[key] = copy.deepcopy(part["default"])
        if isinstance(values.get(key), dict):
            _fill(values[key], part, schemas)


_EXPONENT = re.compile(r"[+-]?\d+\.?\d*[eE]\d+")  # a number that YAML 1.1 reads as a text


def _problems(error):
    """Yield place and fix of one schema error."""
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
        remedy = _meaning(path)
        wrong = f"'{error.instance}' does not fit" if remedy and error.validator == "pattern" else error.message
        if error.validator == "type" and _EXPONENT.fullmatch(str(error.instance)):
            wrong += f"; write {str(error.instance).lower().replace('e', 'e+')}, YAML wants the sign of an exponent"
        yield path, f"{wrong}{f' ({remedy})' if remedy else ''}"


def _meaning(path: list) -> str:
    """Return the description of a value, else that of its parent."""
    schema, found = read_schema("study.schema.yaml"), ""
    for key in path:
        inside = "items" if isinstance(key, int) else "additionalProperties"
        schema = schema.get("properties", {}).get(key, schema.get(inside))
        if not isinstance(schema, dict):
            break
        schema = read_schema(schema["$ref"]) if "$ref" in schema else schema
        found = schema.get("description", found)
    return found


def _unshared(value):
    """Copy nested values, so that a YAML anchor (&name, *name) becomes two values with defaults of their own."""
    if isinstance(value, dict):
        return {key: _unshared(part) for key, part in value.items()}
    return [_unshared(part) for part in value] if isinstance(value, list) else value


def validate(values: dict, path: Path, node=None) -> dict:
    """Check the values of a study and return them with defaults; a StudyError lists everything that is wrong."""
    values = _unshared(values)
    if not isinstance(values, dict):
        raise StudyError(f"{path}: a study is a mapping of stages, not a {type(values).__name__}")
    schemas = own_schemas(values)
    validator = _validator(schemas)
    _fill(values, validator.schema, schemas)
    problems = [problem for error in validator.iter_errors(values) for problem in _problems(error)]
    if not problems:
        problems = list(disagreements(values))
    if problems:
        placed = sorted({(line_of(node, keys), ".".join(map(str, keys)) or "study", text) for keys, text in problems})
        raise StudyError("\n".join(f"{path}:{line}: {key}: {text}" for line, key, text in placed))
    return values


def ingest_method(study: dict) -> str:
    """Name the one ingest method of a study."""
    return next(key for key in study["ingest"] if key != "shards")


def main_table(study: dict) -> str:
    """Name the file of the table to look at first: the one the study names, else the shortlist or its first measure."""
    first = "shortlist" if "screen" in study else next(iter(study["quantify"]), "items")
    return f"{study['main_table'] or first}.csv"


def load(path: str | Path) -> dict:
    """Read, check and complete one study."""
    path = Path(path)
    values, node = read_yaml(path)
    return validate(values, path, node)


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
