"""Messages of values that do not fit the schema of a study: what YAML read, what is wrong, and how to write it."""

import re
from collections.abc import Callable, Iterator, Mapping

from matlens import units
from matlens.crystal import compositions
from matlens.plan import outputs
from matlens.plan.stages import STAGES
from matlens.registry import method_of, suggest

KINDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "object": "a mapping (key: value)",
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
}
ELEMENT = "^[A-Z][a-z]?$"  # pattern of the symbol of an element
EXPONENT = re.compile(r"[+-]?\d+(?:\.\d*)?[eE][+-]?\d+")  # YAML 1.1 reads 1e-3 as a text
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
COMMA = re.compile(r"[+-]?\d+,\d+")
WITH_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s.,:].*)")
BOUNDS = {
    "minimum": "{0} is too small; the smallest value is {1}",
    "maximum": "{0} is too large; the largest value is {1}",
    "exclusiveMinimum": "{0} is too small; it has to be above {1}",
    "exclusiveMaximum": "{0} is too large; it has to be below {1}",
    "minItems": "{0} is too short; the list has at least {1} entries",
    "maxItems": "{0} is too long; the list has at most {1} entries",
    "minLength": "it is empty; write a text",
}


def problems(error, meaning: str, written: str, schema_of: Callable[[str], Mapping]) -> Iterator[tuple[list, str]]:
    """Yield place and fix of one schema error.

    meaning: description of the option.
    written: the value as it stands in the file.
    schema_of: returns the schema of a stage.
    """
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        for unknown in sorted(set(error.instance) - set(allowed), key=str):
            yield [*path, unknown], _unknown(path, unknown, error.instance[unknown], allowed, schema_of)
    elif error.validator == "enum":
        shown = written if isinstance(error.instance, bool) and written else error.instance
        choices = ("null" if choice is None else str(choice) for choice in error.validator_value)
        yield path, f"'{shown}' is not one of the choices; {suggest(str(shown), choices)}"
    elif error.validator == "required":
        for missing in sorted(set(error.validator_value) - set(error.instance)):
            part = error.schema["properties"][missing]
            part = schema_of(part["$ref"]) if "$ref" in part else part
            yield path, f"'{missing}' is missing; add it: {part.get('description', missing)}"
    else:
        yield path, f"{_wrong(error, path, written)}{f' ({meaning})' if meaning else ''}"


def _wrong(error, path: list, written: str) -> str:
    """Return what is wrong with a value, and how to write it if that follows from the value."""
    value, limit = error.instance, error.validator_value
    if error.validator == "type":
        return _of_type(error, [limit] if isinstance(limit, str) else list(limit), path, written)
    if error.validator in BOUNDS:
        return BOUNDS[error.validator].format(_shown(value), limit)
    if error.validator == "uniqueItems":
        twice = next(one for at, one in enumerate(value) if one in value[:at])
        return f"'{twice}' is in the list twice; keep one"
    if error.validator == "pattern" and len(words := words_of(limit)) > 1:
        return f"'{_shown(value)}' does not fit; {suggest(str(value), words)}"
    if error.validator == "pattern" and limit == ELEMENT:
        near, meant, _ = suggest(str(value), compositions.SYMBOLS).partition("?")
        return f"'{_shown(value)}' is no symbol of an element; {near + meant if meant else 'write it like Cu'}"
    if error.validator == "anyOf" and (words := [one for each in error.context for one in _choices(each)]):
        return f"'{_shown(value)}' is not one of the choices; {suggest(_shown(value), dict.fromkeys(words))}"
    if error.validator == "pattern" or error.validator == "anyOf":
        return f"'{_shown(value)}' does not fit"
    return error.message


def _choices(error) -> list[str]:
    """List the texts that an alternative allows for the value as a whole."""
    whole = error.validator == "enum" and not error.relative_path
    return [one for one in error.validator_value if isinstance(one, str)] if whole else []


def words_of(pattern: str) -> list[str]:
    """List the plain words that a pattern allows: of ^(a|b:(c|d)x*|e(f)?|[0-9]+)$ these are a, b:c, b:d and e."""
    found = []
    for one in re.split(r"\|(?![^(]*\))", pattern.removeprefix("^(").removesuffix(")$")):
        whole = re.fullmatch(r"([\w:]+)(?:\(([\w|]+)\).*|\([^()]*\)[?])?", one)
        found += [whole[1] + part for part in (whole[2] or "").split("|")] if whole else []
    return found


def _of_type(error, wanted: list[str], path: list, written: str) -> str:
    """Say that a value has the wrong type, in the words of the file."""
    value = error.instance
    kinds = " or ".join(KINDS[kind] for kind in wanted)
    if "object" in wanted:
        return f"{_shown(value)} is not {KINDS['object']}{_as_mapping(value, path, error.schema)}"
    if "array" in wanted:
        parts = list(value) if isinstance(value, dict) else re.split(r"\s*,\s*", _shown(value))
        if isinstance(value, dict) and error.schema.get("items", {}).get("type") == "object":
            parts = [f"{{{', '.join(f'{key}: {one}' for key, one in value.items())}}}"]
        elif len(parts) == 1:
            parts *= max(1, error.schema.get("minItems", 1))
        return f"{_shown(value)} is not {kinds}; write [{', '.join(map(str, parts))}]"
    if value is None:
        return f"it has no value; write {kinds}"
    if "string" in wanted and not isinstance(value, (dict, list)):
        word = "a number" if isinstance(value, (int, float)) else "a date"
        word = KINDS["boolean"] if isinstance(value, bool) else word
        return f"YAML reads {written or value} as {word}; write '{written or value}', in quotes"
    if "number" in wanted and str(value).lower() in ("inf", "infinity", "∞"):
        return f"'{value}' is a text; write .inf, with a point before it"
    if {"number", "integer"} & {*wanted} and isinstance(value, str):
        if NUMBER.fullmatch(value):
            number = re.sub(r"^([+-]?)0+(?=\d)", r"\1", value)  # 08 is a text even without quotes
            return f"'{value}' is a text; write {number}, without quotes"
        if THOUSANDS.fullmatch(value):
            whole, part = value.replace(",", ""), value.replace(",", ".", 1)
            return f"'{value}' is not {kinds}; write {whole}, or {part} if the comma is decimal"
        if COMMA.fullmatch(value):
            return f"'{value}' is not {kinds}; write {value.replace(',', '.')}, with a decimal point"
        if unit := WITH_UNIT.fullmatch(value):
            return f"'{value}' is not {kinds}; {units.advice(unit[1], unit[2], str(path[-1]))}"
    if wanted == ["boolean"]:
        return f"'{_shown(value)}' is not true or false; write one of them"
    return (
        f"'{written if isinstance(value, bool) and written else _shown(value)}' is not {kinds}{_variants(value, path)}"
    )


def _variants(value, path: list) -> str:
    """Say how to try several values of an option: a variant of the method for each."""
    if not isinstance(value, list) or len(value) < 2 or len(path) != 3:
        return ""
    stage, method = path[0], method_of(str(path[1]))
    if stage not in STAGES or stage == "ingest" or method not in outputs.family(stage):  # a study has one source
        return ""
    each = ", ".join(f"{method}.{letter}: {{{path[2]}: {one}}}" for letter, one in zip("ab", value, strict=False))
    return f"; for several values write a variant for each: {each}"


def _as_mapping(value, path: list, schema: Mapping) -> str:
    """Say how to write a text or a list as the mapping that a stage, a method or an option is."""
    if isinstance(value, str) and (pair := re.fullmatch(r"(\w+):(\S.*)", value)):
        return f"; write a blank after the colon: {pair[1]}: {pair[2]}"
    if len(path) == 1:
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        names = [name for one in names for name in (one if isinstance(one, dict) else [one])]
        if names and all(isinstance(name, str) for name in names):
            keys = ", ".join(f"{name}: {{}}" for name in names)
            return f"; write each method as a key below '{path[0]}', without a dash: {keys}"
    elif isinstance(value, str) and len(schema.get("required", ())) == 1:
        return f"; write {path[-1]}: {{{schema['required'][0]}: {value}}}"
    elif isinstance(value, (bool, str)) and len(path) == 2:
        return f"; write {path[-1]}: {{}}, with its options between the braces"
    return ""


def _unknown(path: list, name, value, allowed: Mapping, schema_of: Callable[[str], Mapping]) -> str:
    """Say what a key is that its place does not know, and where it belongs if that is known."""
    what = "figure" if path == ["figures"] else "method" if len(path) == 1 else "option" if path else "key"
    fix = suggest(str(name), allowed) + units.renamed(str(name), value, allowed)
    stages = {key: f"{key}.schema.yaml" for key in allowed} if not path else {path[0]: f"{path[0]}.schema.yaml"}
    if isinstance(name, (int, float)) and value is None:
        fix = f"within braces a comma separates options, and decimals have a point; {fix}"
    elif not path:
        found = [stage for stage, file in stages.items() if name in _properties(file, schema_of)]
        fix = f"it is a method of '{found[0]}': write it below '{found[0]}'; {fix}" if found else fix
    elif len(path) <= 2:
        methods = _properties(stages[path[0]], schema_of)
        owners = [each for each, part in methods.items() if name in part.get("properties", {})]
        base = next((each for each in methods if re.match(rf"{each}[^a-z0-9_]", str(name).lower())), None)
        if len(path) == 1 and base:
            variant = re.sub(r"[^a-z0-9]+", "_", str(name).lower()[len(base) :]).strip("_") or "fine"
            fix = f"write a variant of '{base}' as {base}.{variant}, in lower case"
        elif owners and str(name) not in allowed:
            more = f" and {len(owners) - 4} more" if len(owners) > 4 else ""
            fix = f"it is an option of {', '.join(owners[:4])}{more}; {fix}"
    return f"unknown {what} '{name}'; {fix}"


def _properties(file: str, schema_of: Callable[[str], Mapping]) -> Mapping:
    """Return the methods of a stage from its schema; none if the key is no stage."""
    try:
        return schema_of(file).get("properties", {})
    except FileNotFoundError:
        return {}


def kind_of(value) -> str:
    """Name the kind of a value that YAML has read."""
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return "empty" if value is None else KINDS.get(names.get(type(value), ""), "a date")


def _shown(value) -> str:
    """Write a value as it would stand in a study, at most 80 characters."""
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {_shown(part)}" for key, part in value.items()) + "}"
    elif isinstance(value, list):
        text = f"[{', '.join(map(_shown, value))}]"
    else:
        text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
