"""One bad item never stops a batch."""

import errno

import pytest
from matlens import columns
from matlens.job import batch, entry

ITEMS = [{"item": name} for name in "abc"]


def test_bad_items_become_rows_and_the_rest_goes_on():
    def work(item):
        if item["item"] == "b":
            raise batch.BadItem("no\n  good")
        return item["item"].upper()

    rows = []
    found = [result for _, result in batch.survive(ITEMS, work, rows, "segment")]
    assert found == ["A", "C"]
    assert rows == [{columns.ITEM: "b", columns.STAGE: "segment", columns.REASON: "no good"}]


def test_an_unforeseen_fault_of_one_item_is_a_row_that_names_its_type():
    rows = []
    found = list(batch.survive(ITEMS, lambda item: {"a": 1, "c": 3}[item["item"]], rows, "segment"))
    assert len(found) == 2
    assert rows[0][columns.REASON] == "KeyError: 'b'"


def test_an_unforeseen_fault_of_every_item_fails_the_shard():
    with pytest.raises(RuntimeError, match="every item of the shard failed"):
        list(batch.survive(ITEMS, lambda item: 1 / 0, [], "segment"))


@pytest.mark.parametrize(
    "fault", [MemoryError(), OSError(errno.ENOSPC, "No space left on device"), entry.Stopped("SIGTERM")]
)
def test_a_fault_of_the_machine_is_not_blamed_on_the_item(fault):
    def work(item):
        raise fault

    with pytest.raises(type(fault)) as caught:
        list(batch.survive(ITEMS, work, [], "segment"))
    assert caught.value.__notes__ == ["at item 'a'"]


def test_an_empty_shard_is_fine():
    assert list(batch.survive([], None, [], "segment")) == []
