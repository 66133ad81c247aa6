"""Copies of the workflow for the tests that run it."""

import copy
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("Snakefile", "config", "profiles", "workflow", "data/catalog.yaml", "data/weights", "data/published")

FAULTY = {  # the study that is disturbed, by the name of `mine`: shards 0 and 1 have two items, 2 and 3 have one
    "phases": ["matrix", "particle"],
    "ingest": {"shards": 4, "gamma_prime": {"ages_h": [1, 20], "images": 3, "size_px": [64, 64]}},
    "segment": {"otsu": {}},
    "quantify": {"fractions": {}},
}


def share_caches(source: Path, target: Path) -> None:
    """Let a copy of a folder of modules use the compiled files of the original, by links.

    Python and Numba check the time and the size of the source, so that a module that a test changes is compiled anew.
    Compiling takes a fresh copy 5 CPU seconds, mostly for the kernels of Numba.
    """
    for folder in {module.parent for module in source.rglob("*.py")}:
        cache = folder / "__pycache__"
        cache.mkdir(exist_ok=True)
        (target / cache.relative_to(source)).symlink_to(cache)


class House:
    """A copy of the workflow in a folder of its own, with commands a user would type."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.env = {**os.environ, "OMP_NUM_THREADS": "1"}
        shared = ROOT.parent / "shared" / "data"
        if shared.exists():
            self.env.setdefault("MATLENS_DATA", str(shared))
        for name in COPIED:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
                share_caches(source, target)
            elif source.exists():
                shutil.copy2(source, target)

    def copied(self, folder: Path) -> "House":
        """Copy the house with its results into a new folder, as to another disk."""
        other = copy.copy(self)
        other.folder = Path(shutil.copytree(self.folder, folder, symlinks=True))
        return other

    def study(self, name: str, **settings) -> None:
        """Write a study of the user's own."""
        (self.folder / f"config/studies/{name}.yaml").write_text(yaml.safe_dump({"title": name, **settings}))

    def plant(self, code: str) -> None:
        """Add code to the start of the script `segment`; `shard` is the number of its shard, as four digits."""
        path, mark = self.folder / "workflow/scripts/segment.py", "    about = io.read_json(card)"
        head, tail = path.read_text().split(mark, 1)
        body = "".join(f"        {line}\n" for line in code.strip().splitlines())
        path.write_text(f"{head}    def planted(shard):\n{body}    planted(images[-13:-9])\n{mark}{tail}")

    def door(self, name: str, *words: str) -> subprocess.CompletedProcess:
        """Run a command of the package, as the Makefile does."""
        command = [sys.executable, "-m", f"matlens.cli.{name}", *words]
        env = {**self.env, "PYTHONPATH": "workflow"}
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *words]

    def run(self, *words: str, studies: str, timeout: float = 1200) -> subprocess.CompletedProcess:
        """Run the workflow and return what it printed."""
        command = self.command(*words, "--config", f"studies={studies}")
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=timeout)

    def tables(self, study: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / "results" / study / "tables").iterdir())}

    def read(self, study: str, table: str):
        import pandas as pd

        return pd.read_csv(self.folder / "results" / study / "tables" / f"{table}.csv", converters={"item": str})


def hashes(folder: Path) -> dict[str, str]:
    """Hash every file of results, by relative path, but the records of jobs: they name the code, which tests change."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "manifest" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture
def house(tmp_path):
    return House(tmp_path / "house")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> House:
    """Run the study of the fault tests undisturbed."""
    house = House(tmp_path_factory.mktemp("calm") / "house")
    house.study("mine", **FAULTY)
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    return house


@pytest.fixture(scope="session")
def calm(undisturbed) -> dict[str, str]:
    """Hash the results of the undisturbed run."""
    return hashes(undisturbed.folder / "results/mine")


def two_phase(seed: int, size: int = 96) -> np.ndarray:
    """Draw bright discs on a dark ground, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centres = rng.uniform(8, size - 8, (6, 2))
    inside = np.any([(y - cy) ** 2 + (x - cx) ** 2 < 49 for cy, cx in centres], axis=0)
    return np.clip(60 + 110 * inside + rng.normal(0, 8, inside.shape), 0, 255).astype(np.uint8)


def save_pictures(folder: Path, number: int = 7) -> Path:
    """Write small micrographs into a new folder."""
    folder.mkdir()
    for seed in range(number):
        Image.fromarray(two_phase(seed)).save(folder / f"field_{seed}.png")
    return folder


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Make a folder of seven small micrographs."""
    return save_pictures(tmp_path / "pictures")
