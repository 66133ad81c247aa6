"""Roles of items in learning."""

import pytest
from matlens.job.batch import BadItem
from matlens.learn.roles import split

ROWS = [{"item": f"field_{number}", "group": f"steel_{number // 2}"} for number in range(6)]


def test_held_out_items_and_groups_are_never_learned_from():
    roles = split(ROWS, hold_out=["field_0", "steel_2"], validation_part=0)
    assert [item for item, role in roles.items() if role == "test"] == ["field_0", "field_1", "field_4", "field_5"]


@pytest.mark.parametrize("pattern", ["feild_0", "steel-2", "Steel_2", "field_9*"])
def test_a_pattern_that_holds_out_nothing_is_refused(pattern):
    with pytest.raises(BadItem, match=r"matches no item and no group that was read; some are (field|steel)_"):
        split(ROWS, hold_out=["field_0", pattern])
