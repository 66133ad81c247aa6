"""Every profile is valid, names only options of Snakemake, and plans the demo if its plugin is installed."""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/config.yaml"))
STORAGE = "default-storage-provider", "default-storage-prefix"


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())


@cache
def known() -> set[str]:
    """List the options of the command line of Snakemake and of the plugins that are installed."""
    told = subprocess.run([sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"--([a-z][a-z0-9-]+)", told.stdout))


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_name_options_that_exist_and_rules_that_exist(name):
    settings = read(name)
    executor = settings.get("executor", "local")
    own = {key for key in settings if key not in known() and key.startswith(f"{executor}-")}
    assert set(settings) - own <= known()
    rules = set(
        re.findall(r"^rule (\w+):", "".join(p.read_text() for p in (ROOT / "workflow/rules").glob("*.smk")), re.M)
    )
    assert set(settings.get("groups", {})) | set(settings.get("set-resources", {})) <= rules
    assert set(settings.get("group-components", {})) == set(settings.get("groups", {}).values())
    if executor != "local":
        assert settings["retries"] >= 1, "the scheduler's faults are cured by a new attempt"
        assert settings["default-resources"]["mem_mb"] >= 600


def test_retries_stand_in_profiles_and_never_in_rules():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        assert not re.search(r"^\s*retries:", path.read_text(), re.M), path.name


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_plans_the_demo(house, name):
    settings = read(name)
    needed = [f"snakemake_executor_plugin_{settings['executor']}"] if "executor" in settings else []
    if "default-storage-provider" in settings:
        settings |= dict(zip(STORAGE, ("fs", str(house.folder)), strict=True))  # in place of what is on the network
        needed.append("snakemake_storage_plugin_fs")
    absent = [plugin for plugin in needed if not importlib.util.find_spec(plugin.replace("-", "_"))]
    if absent:
        pytest.skip(f"{absent[0]} is not installed: this profile was planned by hand with it, and never run")
    (house.folder / f"profiles/{name}/config.yaml").write_text(yaml.safe_dump(settings))
    done = house.run("-n", "--workflow-profile", f"profiles/{name}", studies="demo_superalloy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_says_what_it_asks_for():
    """Threads are one by default; memory and minutes are functions of the number of items and of the attempt."""
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule, body in re.findall(r"^(?:    )?rule ?(\w*):\n((?:    .*\n|\n)*)", path.read_text(), re.M):
            if "script:" in body:
                assert "mem_mb=plan.memory(" in body, f"{path.name}: rule {rule} asks for no memory"
                assert re.search(r"runtime=plan.\w*minutes\(", body), f"{path.name}: rule {rule} asks for no minutes"
