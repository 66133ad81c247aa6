"""Ingest keeps at least half the speed of a plain write of the same pixels."""

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.slow
def test_ingest_is_at_least_half_as_fast_as_a_plain_write(tmp_path):
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "ingest_speed.py"
    spec = importlib.util.spec_from_file_location("ingest_speed", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    times = module.measure(96, 1024, tmp_path)
    ours = times.pop("ingest")[0]
    assert min(cpu for cpu, _ in times.values()) >= 0.5 * ours
