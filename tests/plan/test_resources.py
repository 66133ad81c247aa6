"""Resources that jobs request."""

import pandas as pd
import pytest
from matlens.plan import resources
from matlens.store import io


@pytest.mark.parametrize(
    ("asked", "items", "attempt", "megabytes"),
    [((100, 0), 5, 1, 600), ((1000, 0.5), 200, 1, 1100), ((1000, 0.5), 201, 2, 2202), ((100, 0), 5, 3, 2400)],
)
def test_memory_grows_with_items_and_attempts_above_the_floor(asked, items, attempt, megabytes):
    assert resources.memory_mb(*asked, items, attempt) == megabytes


def test_minutes_grow_with_items_and_attempts():
    assert resources.minutes(10, 0.05, 500, 1) == 35
    assert resources.minutes(10, 0.05, 500, 3) == 140
    assert resources.minutes(0, 0, 1, 1) == 1


def test_items_are_those_of_the_largest_shard():
    assert resources.items_of(10, 3) == 4
    assert resources.items_of(10, None) == 10
    assert max(len(io.shard_rows(pd.DataFrame({"item": range(10)}), n, 3)) for n in range(3)) == 4


def test_rows_are_counted_without_reading_them_and_anew_after_a_change(tmp_path):
    path = str(tmp_path / "plan.parquet")
    io.write_table(path, pd.DataFrame({"item": ["a", "b", "c"]}))
    assert resources.rows(path, 1.0) == 3
    io.write_table(path, pd.DataFrame({"item": ["a"]}))
    assert resources.rows(path, 2.0) == 1
