"""Fixtures of all tests."""

import itertools
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# One thread for each worker: threads of two trainings at once wait for each other's cores.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


def pytest_collection_modifyitems(items):
    """Mark every test that needs public data, for `pytest -m data`, and run the files of the workflow first.

    Those are the longest files: at the end of the run, one of them would keep one worker busy and leave the other idle.
    """
    for item in items:
        if "data" in item.fixturenames:
            item.add_marker(pytest.mark.data)
    items.sort(key=lambda item: item.path.parent.name != "workflow")


@pytest.fixture
def killed_after(monkeypatch):
    """Return a context in which a training is killed once it has written a number of checkpoints."""

    @contextmanager
    def killed(number: int):
        from matlens.learn import checkpoints

        save, saves = checkpoints.Checkpoint.save, itertools.count(1)

        def dying(self, *arguments):
            save(self, *arguments)
            if next(saves) == number:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(checkpoints.Checkpoint, "save", dying)
            yield

    return killed


@pytest.fixture
def data():
    """Return the path of a public data file or folder; skip the test if it is absent."""
    places = [Path(os.environ["MATLENS_DATA"])] if "MATLENS_DATA" in os.environ else []
    places += [ROOT.parent / "shared" / "data", ROOT / "data" / "raw"]

    def find(name: str) -> Path:
        found = next((place / name for place in places if (place / name).exists()), None)
        if found is None:
            pytest.skip(f"public data '{name}' are not on this machine; set MATLENS_DATA to where they are")
        return found

    return find
