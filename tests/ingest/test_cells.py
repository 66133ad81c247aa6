"""Labelled cells in one array of a NumPy file, with published fields."""

import numpy as np
import pytest
from matlens.ingest import cells
from matlens.job.batch import BadItem

PHASES = ["soft", "hard"]


@pytest.fixture
def file(tmp_path):
    def write(**changed):
        marks = np.zeros((3, 4, 5), np.uint8)
        marks[1, 2, 3] = 1
        arrays = {"marks": marks, "strain": np.arange(60.0).reshape(3, 4, 5)} | changed
        np.savez(tmp_path / "set.npz", **arrays)
        return str(tmp_path / "set.npz")

    return write


def test_every_index_of_the_first_axis_is_an_item_with_its_labels_and_its_field(file):
    about = {"path": file(), "labels": "marks", "fields": {"strain_xx": "strain"}}
    rows = cells.plan(**about)
    assert rows["item"].tolist() == ["set_00", "set_01", "set_02"]
    found = cells.read(rows.iloc[1].to_dict(), PHASES, **about)
    assert found.axes == "yx" and found.truth.sum() == 1 and found.truth[2, 3] == 1
    np.testing.assert_array_equal(found.layers["strain_xx"], np.arange(20.0, 40.0).reshape(4, 5))


@pytest.mark.parametrize(
    ("changed", "options", "words"),
    [
        ({}, {"labels": "marks", "fields": {"strain_x": "strain"}}, "'strain_x' is no component"),
        ({}, {"labels": "labels"}, "no array 'labels'; it has marks, strain"),
        ({}, {"labels": "marks", "fields": {"strain_xx": "stress"}}, "no array 'stress'"),
        ({"strain": np.zeros((3, 4, 4))}, {"labels": "marks", "fields": {"strain_xx": "strain"}}, "the shape"),
        ({"marks": np.zeros((3, 4))}, {"labels": "marks"}, "2 axes"),
        ({"marks": np.array([["a"]])}, {"labels": "marks"}, "save numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_the_first_job(file, changed, options, words):
    with pytest.raises(ValueError, match=words):
        cells.listing(path=file(**changed), **options)


def test_a_file_that_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "set.npz").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="no readable"):
        cells.listing(path=str(tmp_path / "set.npz"))
    with pytest.raises(ValueError, match="no set 'nowhere'"):
        cells.listing(path="nowhere/set.npz")


def test_numbers_that_are_no_phases_and_fields_that_are_not_finite_reject_the_item(file):
    strain = np.full((3, 4, 5), 1.0)
    strain[2] = np.nan
    marks = np.zeros((3, 4, 5))
    marks[0] = 2
    about = {"path": file(marks=marks, strain=strain), "labels": "marks", "fields": {"strain_xx": "strain"}}
    with pytest.raises(BadItem, match="from 2 to 2"):
        cells.read({"number": 0}, PHASES, **about)
    with pytest.raises(BadItem, match="strain_xx holds NaN"):
        cells.read({"number": 2}, PHASES, **about)
    assert cells.read({"number": 1}, PHASES, **about).truth.max() == 0
