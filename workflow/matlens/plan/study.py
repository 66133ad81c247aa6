"""Studies: one YAML each, checked against the schema before the first job, with the defaults filled in.

A message names the file and line, the key, what is wrong with the value, and the remedy.
"""

import copy
import math
import re
from functools import cache
from pathlib import Path

import yaml

from matlens.plan import outputs, schema_messages
from matlens.plan.stages import STAGES
from matlens.plan.structure import Reasons, disagreements
from matlens.registry import method_of, suggest
from matlens.store.yaml_files import LOADER, StudyError, line_of, lookalikes, read_yaml, text_of

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
VARIANT = "[a-z0-9_]+[.][a-z0-9_]+"  # method.variant
STUDY_NAME = "[a-z0-9_]+"  # it becomes a folder, and a wildcard of every rule


def _validator(schemas: dict[str, dict]):
    """Build the validator of a study; `$ref` finds the schema of each stage, in `schemas` if it is there.

    A whole number is an int: 2.0 would pass as one and fail in the job.
    """
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry(retrieve=lambda uri: DRAFT202012.create_resource(schema_of(uri, schemas)))
    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=whole)
    return kind(read_schema("study.schema.yaml"), registry=registry)


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


def _meaning(path: list) -> str:
    """Return the description of a value, else that of its parent."""
    schema, found = read_schema("study.schema.yaml"), ""
    for key in path:
        inside = "items" if isinstance(key, int) else "additionalProperties"
        named = schema.get("properties", {})  # a variant has the options of its method
        schema = named.get(key, named.get(method_of(str(key)), schema.get(inside)))
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
        raise StudyError(f"{path}: a study is a mapping of stages; this file is {schema_messages.kind_of(values)}")
    schemas = own_schemas(values)
    validator = _validator(schemas)
    _fill(values, validator.schema, schemas)
    errors = list(validator.iter_errors(values))
    if [error for error in errors if _repaired(values, error)]:
        errors = list(validator.iter_errors(values))
    found = [problem for error in errors for problem in _problems(error, node, values)]
    found = found or list(_not_finite(values, [])) or list(disagreements(values))
    if found:
        placed = sorted({(line_of(node, keys), ".".join(map(str, keys)) or "study", text) for keys, text in found})
        lines = [f"{path}:{line}: {key}: {text}{lookalikes(path, line) if node else ''}" for line, key, text in placed]
        raise StudyError("\n".join(lines))
    return values


def _problems(error, node, values: dict) -> Reasons:
    """Yield place and fix of one schema error."""
    keys, phases = list(error.absolute_path), values.get("phases")
    if error.validator == "type" and keys[-1:] == ["phase"] and isinstance(phases, list) and error.instance in phases:
        name, number = error.instance, phases.index(error.instance)
        return iter([(keys, f"it takes the number of a phase, and '{name}' has {number}; write phase: {number}")])
    return schema_messages.problems(error, _meaning(keys), text_of(node, keys), read_schema)


def _repaired(values: dict, error) -> bool:
    """Replace a number that YAML reads as a text (1e-3), or a whole one with a point (2.0); False if it is neither."""
    value, keys = error.instance, list(error.absolute_path)
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    if error.validator != "type" or not {"number", "integer"} & {*wanted}:
        return False
    if isinstance(value, str) and schema_messages.EXPONENT.fullmatch(value):
        value = float(value)
    if not isinstance(value, float) or not math.isfinite(value):
        return False
    for key in keys[:-1]:
        values = values[key]
    values[keys[-1]] = int(value) if value.is_integer() and "number" not in wanted else value
    return True


def _not_finite(value, keys: list) -> Reasons:
    """Yield the numbers of a study that are infinite or NaN; an option that takes .inf says so."""
    if isinstance(value, float) and not (math.isfinite(value) or (value > 0 and ".inf" in _meaning(keys))):
        yield keys, f"{value} is not finite; write a number, or leave the key out"
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _not_finite(part, [*keys, key])


def ingest_method(study: dict) -> str:
    """Name the one ingest method of a study."""
    return next(key for key in study["ingest"] if key != "shards")


def main_table(study: dict) -> str:
    """Name the file of the table to look at first: the one the study names, else the shortlist, measure or score."""
    if study["main_table"]:
        return f"{study['main_table'].removesuffix('.csv')}.csv"
    there = outputs.tables(study)
    ranked = ["shortlist", *study["quantify"], "benchmark", "ood", "hits", "errors"]
    others = [name for name in there if name not in ("items", "rejected", "connections")]
    return next((name for name in [*ranked, *others] if name in there), "items") + ".csv"


def load(path: str | Path) -> dict:
    """Read, check and complete one study."""
    path = Path(path)
    values, node = read_yaml(path)
    return validate(values, path, node)


def names_in(text: str) -> list[str]:
    """Split names of studies that commas or blanks part."""
    return text.replace(",", " ").split()


def _bare(name: str, folder: Path) -> str:
    """Return the name of a study that may be given as its file, with or without the folder."""
    path = Path(str(name))
    return path.stem if path.suffix == ".yaml" and path.parent in (Path(), folder) else str(name)


def load_all(names, folder: str | Path) -> dict[str, dict]:
    """Load studies by name from a folder of YAML files; an unknown name is answered with the right ones."""
    folder = Path(folder)
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    names = [_bare(name, folder) for name in (names_in(names) if isinstance(names, str) else list(names or []))]
    if not names:
        raise StudyError(f"no study to build; name some of: {', '.join(known)}")
    for name in names:
        other = folder / f"{name}.yml"
        if name in known and other.is_file():
            raise StudyError(f"{other}: there is also {known[name]}, and one study has one file; delete or rename one")
        if name not in known:
            if other.is_file():
                raise StudyError(f"{other}: rename the file to {name}.yaml; studies end so")
            raise StudyError(
                f"config key 'studies': unknown study '{name}' (no {folder / f'{name}.yaml'}); {suggest(name, known)}"
            )
        if not re.fullmatch(STUDY_NAME, name):
            raise StudyError(f"{known[name]}: rename the file; a study's name has lower-case letters, digits and _")
    return {name: load(known[name]) for name in dict.fromkeys(names)}
