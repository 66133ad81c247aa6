"""The same studies on one machine and through Slurm: the same bytes."""

import pytest
import yaml

from ..workflow.conftest import House, hashes
from .conftest import Clustered

pytestmark = pytest.mark.cluster
DEMOS = "demo_superalloy", "demo_intermetallics"


def smaller(settings: dict) -> dict:
    """Shorten a study: what is compared is where jobs run, not what networks learn or how many methods agree."""
    for stage, dropped in {"segment": ("watershed", "all_background"), "predict": ("random_forest",)}.items():
        settings[stage] = {name: chosen for name, chosen in settings.get(stage, {}).items() if name not in dropped}
    if "unet" in settings["segment"]:
        settings["segment"]["unet"].update(epochs=1, patches=16)
    return {stage: chosen for stage, chosen in settings.items() if chosen != {}}


def results(house: House, study: str) -> dict[str, str]:
    """Hash every artefact of a study but `timings`, which are readings of a clock."""
    found = hashes(house.folder / "results" / study)
    return {path: digest for path, digest in found.items() if "timings" not in path.split("/")}


def test_every_artefact_is_the_same_through_slurm(cluster, tmp_path):
    here, there = House(tmp_path / "here"), Clustered(tmp_path / "there")
    for house in (here, there):
        for name in DEMOS:
            path = house.folder / f"config/studies/{name}.yaml"
            path.write_text(yaml.safe_dump(smaller(yaml.safe_load(path.read_text())), sort_keys=False))
    for house in (here, there):
        done = house.run(studies=",".join(DEMOS), timeout=2400)
        assert done.returncode == 0, done.stdout + done.stderr

    found, wanted = ({name: results(house, name) for name in DEMOS} for house in (there, here))
    assert all(wanted.values())
    assert {name: set(files) for name, files in found.items()} == {name: set(files) for name, files in wanted.items()}
    assert not [f"{name}/{file}" for name in DEMOS for file in wanted[name] if found[name][file] != wanted[name][file]]

    jobs = there.jobs()
    assert {state for _, state, *_ in jobs} == {"COMPLETED"}
    networks = [job for job in jobs if "learn_wildcards" in job[3] or ("_unet_" in job[3] and "rule_segment" in job[3])]
    assert {job[2] for job in networks} == {"gpu"}
    assert {job[2] for job in jobs if job not in networks} == {"cpu"}, "CPU work waits in the queue for GPUs"
    learned = there.folder / "logs/demo_superalloy/segment/unet/learn.log"
    assert "a GPU was granted and none is visible" in learned.read_text(), "the job was not told of its GPU"
