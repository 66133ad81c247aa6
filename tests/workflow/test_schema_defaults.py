"""The options of every method stand in the schema of its stage, with the same defaults, and the other way round."""

import inspect

import pytest
from matlens import (
    acquire,
    connect,
    detect,
    fields,
    fit,
    generate,
    ingest,
    nets,
    predict,
    quantify,
    registry,
    restore,
    segment,
    track,
)
from matlens.crystal import POTENTIALS
from matlens.detect import network_learning
from matlens.learn import cards, pixels
from matlens.learn.options import FROM_DATA, of_network
from matlens.learn.roles import split
from matlens.plan import study
from matlens.predict import cnn, crystal_networks, heads
from matlens.predict import molecules as molecule_networks
from matlens.restore import trained as restored
from matlens.segment import trained

NO_METHOD = {
    "ingest": {"shards"},
    "detect": {"scores"},
    "track": {"scores", "frame_by", "border_px", "frame_s", "start_s", "size_classes"},
}
INGEST = (ingest.PLANS, ingest.METHODS, ingest.CRYSTALS, ingest.MOLECULES, ingest.LISTINGS)


def functions(table: dict, name: str) -> list:
    return [registry.load(table, name)] if name in table else []


def field_functions(name: str) -> list:
    made = functions(fields.METHODS, name)
    if name in fields.LEARNERS:
        made += [registry.load({"x": fields.LESSONS}, "x"), *functions(fields.LEARNERS, name)]
        made += [*functions(nets.FIELD_NETS, name), split, cards.lent, cards.initial, pixels.prepare]
    return made


CASES = [
    *(("ingest", name, [f for table in INGEST for f in functions(table, name)]) for name in ingest.PLANS),
    *(("restore", name, restored.functions(name)) for name in restore.METHODS),
    *(("segment", name, trained.functions(name)) for name in segment.METHODS),
    *(("quantify", name, functions(quantify.METHODS, name)) for name in quantify.METHODS),
    *(("quantify", name, functions(quantify.SERIES, name)) for name in quantify.SERIES),
    *(("fields", name, field_functions(name)) for name in fields.METHODS),
    ("fields", "cut", functions(fields.CONTROLS, "cut")),
    *(
        (
            "generate",
            name,
            [
                *functions(generate.METHODS, name),
                *functions(generate.LEARNERS, name),
                *functions(nets.GENERATORS, name),
                *([cards.lent] if name in generate.LEARNERS else []),
            ],
        )
        for name in generate.METHODS
    ),
    *(("detect", name, network_learning.functions(name)) for name in detect.METHODS),
    *(("track", name, functions(track.METHODS, name)) for name in track.METHODS),
    *(("fit", name, functions(fit.METHODS, name)) for name in fit.METHODS),
    *(("connect", name, functions(connect.METHODS, name)) for name in connect.METHODS),
    *(("acquire", name, functions(acquire.METHODS, name)) for name in acquire.METHODS),
    *(("predict", name, functions(predict.METHODS, name)) for name in predict.METHODS),
    *(("predict", name, [*functions(predict.IMAGE_METHODS, name), cnn.initial_file]) for name in predict.IMAGE_METHODS),
    *(
        ("predict", name, [crystal_networks.learn, heads.lender, *functions(predict.CRYSTAL_METHODS, name)])
        for name in predict.CRYSTAL_METHODS
    ),
    *(
        ("predict", name, [molecule_networks.learn, *functions(predict.MOLECULE_METHODS, name)])
        for name in predict.MOLECULE_METHODS
    ),
]


def plain(value):
    """Write tuples as lists, as YAML has them, all the way down."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def defaults(schema: dict) -> dict:
    """Collect the defaults of the properties of a schema; those of nested objects are filled in."""
    found = {}
    for name, part in schema.get("properties", {}).items():
        if "default" in part:
            value = part["default"]
            nested = defaults(part)
            found[name] = {**nested, **value} if isinstance(value, dict) else value
    return found


@pytest.mark.parametrize(("stage", "name", "made"), [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in CASES])
def test_options_are_those_of_the_schema(stage, name, made):
    schema = study.read_schema(f"{stage}.schema.yaml")["properties"]
    assert name in schema, f"workflow/schemas/{stage}.schema.yaml lacks '{name}'"
    part = schema[name]
    assert part.get("additionalProperties") is False, "unknown options must be errors"
    assert part.get("description")
    written = {}
    for function in made:
        for option, default in registry.options_of(function).items():
            if option in FROM_DATA:
                continue
            assert plain(written.get(option, default)) == plain(default), f"'{option}' has two defaults"
            written[option] = default
    assert set(part.get("properties", {})) == set(written)
    required = {option for option, default in written.items() if default is inspect.Parameter.empty}
    assert set(part.get("required", [])) == required
    given = {option: plain(default) for option, default in written.items() if option not in required}
    assert plain(defaults(part)) == given
    # True == 1 in Python; a boolean option is not a number.
    assert {o: type(v) is bool for o, v in defaults(part).items()} == {o: type(v) is bool for o, v in given.items()}


@pytest.mark.parametrize("stage", ["ingest", "restore", "segment", "detect", "track", "quantify"])
def test_schema_names_no_method_that_is_not_there(stage):
    schema = set(study.read_schema(f"{stage}.schema.yaml")["properties"]) - NO_METHOD.get(stage, set())
    assert schema == {name for part, name, _ in CASES if part == stage}


@pytest.mark.parametrize(("stage", "name"), [pytest.param(*case[:2], id=f"{case[0]}-{case[1]}") for case in CASES])
def test_every_option_is_described_and_its_default_is_valid(stage, name):
    import jsonschema

    for option, part in study.read_schema(f"{stage}.schema.yaml")["properties"][name].get("properties", {}).items():
        assert part.get("description"), f"{stage}.{name}.{option} has no description"
        assert {"type", "enum", "oneOf", "anyOf", "$ref", "const"} & set(part), f"{stage}.{name}.{option} has no type"
        if "default" in part and "$ref" not in part:
            jsonschema.Draft202012Validator(part).validate(plain(part["default"]))


NETWORKS = [("segment", nets.NETS), ("detect", nets.OBJECT_NETS), ("predict", nets.CRYSTAL_NETS)]
NETWORKS += [("predict", nets.MOLECULE_NETS)]


@pytest.mark.parametrize(("stage", "table", "name"), [(*pair, name) for pair in NETWORKS for name in pair[1]])
def test_the_options_of_a_network_are_those_of_its_constructor(stage, table, name):
    written = defaults(study.read_schema(f"{stage}.schema.yaml")["properties"][name])
    own = of_network(table, name)
    assert own and {option: written[option] for option in own} == own
    signature = registry.options_of(registry.load(table, name))
    assert set(signature) - set(own) <= set(FROM_DATA)


@pytest.mark.parametrize("name", predict.STRUCTURE_METHODS)
def test_the_potentials_that_describe_crystals_are_those_that_there_are(name):
    asked = study.read_schema("predict.schema.yaml")["properties"][name]["properties"]["potential"]
    assert asked["enum"] == [None, *POTENTIALS] and asked["default"] is None


def test_learners_are_methods_that_can_be_prepared():
    assert set(segment.LEARNERS) == set(segment.PREPARES)
    assert set(segment.LEARNERS) <= set(segment.METHODS)
    for name in segment.LEARNERS:
        assert "model" in registry.inputs_of(registry.load(segment.METHODS, name))
