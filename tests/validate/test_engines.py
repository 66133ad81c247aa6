"""Options of the engines stand in their schemas with the same defaults."""

import inspect

import pytest
from matlens import acquire, registry, validate
from matlens.plan import study

TABLES = (validate.METHODS, validate.HANDOFFS, validate.JUDGES)


@pytest.mark.parametrize("engine", ["chgnet", "qe", "gpaw", "vasp"])
def test_options_of_an_engine_are_those_of_its_schema(engine):
    part = study.read_schema("validate.schema.yaml")["properties"][engine]
    schema = study.read_schema(part["$ref"]) if "$ref" in part else part
    written = {}
    for table in TABLES:
        if engine in table:
            written |= registry.options_of(registry.load(table, engine))
    written.setdefault("run", None)
    listed = {name: one.get("default", inspect.Parameter.empty) for name, one in schema["properties"].items()}
    listed.setdefault("run", None)
    assert listed == written
    assert schema["additionalProperties"] is False and schema["description"]
    assert all(one.get("description") for one in schema["properties"].values())


def test_a_loop_can_ask_every_engine_that_its_schema_names():
    part = study.read_schema("acquire.schema.yaml")["properties"]
    assert set(part["oracle"]["enum"]) == set(acquire.ORACLES)
    for name in set(acquire.ORACLES) - set(validate.TABLES):
        assert part[name]["$ref"] == f"{name}.schema.yaml"
        assert name in {**validate.METHODS, **validate.BATCHES, **validate.HANDOFFS}
        assert callable(registry.load(acquire.ORACLES, name))
