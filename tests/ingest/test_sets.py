"""Several public sets in one study: their phases are those of the study, their items tell the material."""

import numpy as np
import pytest
from matlens.ingest import catalog, sets

WANTED = {"superalloy_nasa": {"phase": ["secondary", "tertiary"]}, "powder_ampis": {"phase": ["object"]}}
PHASES = ["matrix", "phase"]


@pytest.fixture(autouse=True)
def there(data):
    """Skip the tests where the sets are not on this machine."""
    data("micrographs/superalloy_nasa"), data("micrographs/powder_ampis")


def test_unknown_sets_and_phases_are_named():
    with pytest.raises(ValueError, match="superalloy_nasa"):
        sets.check(PHASES, sets={"superaloy_nasa": {"phase": ["secondary"]}})
    with pytest.raises(ValueError, match=r"the set has no phase 'secundaria'.*secondary"):
        sets.check(PHASES, sets={"superalloy_nasa": {"phase": ["secundaria"]}})
    with pytest.raises(ValueError, match="the study has no phase 'faze'"):
        sets.check(PHASES, sets={"superalloy_nasa": {"faze": ["secondary"]}})
    sets.check(PHASES, sets=WANTED)


def test_the_middle_of_an_image_has_the_mapped_phases_of_its_set():
    rows = sets.plan(sets=WANTED, images=2)
    assert rows["material"].tolist() == ["superalloy_nasa"] * 2 + ["powder_ampis"] * 2 and rows["item"].is_unique
    assert rows["group"].str.startswith(tuple(WANTED)).all() and "split" not in rows
    first = rows.to_dict("records")[0]
    made = sets.read(first, PHASES, sets=WANTED, side_px=200)
    source = catalog.plan(set="superalloy_nasa").to_dict("records")[0]
    whole = catalog.read({k: v for k, v in source.items() if v == v}, ["m", "s", "t"], set="superalloy_nasa",
                         truth_values={"m": [0], "s": [1], "t": [2]})  # fmt: skip
    top, left = ((n - 200) // 2 for n in whole.truth.shape)
    assert np.array_equal(made.truth, whole.truth[top : top + 200, left : left + 200] > 0)
    assert made.pixels.shape == (200, 200)


def test_objects_are_one_phase():
    row = sets.plan(sets={"powder_ampis": WANTED["powder_ampis"]}, images=1).to_dict("records")[0]
    made = sets.read(row, PHASES, sets=WANTED, side_px=300)
    assert made.truth.dtype == np.uint8 and set(np.unique(made.truth)) <= {0, 1, 255} and made.objects is None
    assert 0.2 < (made.truth == 1).mean() < 0.9
