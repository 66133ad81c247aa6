"""Every study that the project ships can be planned; the rules read like a table of contents and hold no logic."""

import ast
import re
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml
from matlens.cli import list_studies

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))
RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> dict[str, Counter]:
    """Plan all studies of which the data are there, at once; returns the jobs of each by rule."""
    from .conftest import House

    house = House(tmp_path_factory.mktemp("plan") / "house")
    listed = house.door("list_studies")
    assert listed.returncode == 0, listed.stderr
    names = listed.stdout.strip().split(",")
    words = ("-n", "--workflow-profile", "none", "--cores", "2", "--quiet", "host")
    done = house.run(*words, studies=",".join(names))
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    jobs = re.findall(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    wildcards: study=(\w+)", text, re.M)
    return {name: Counter(rule for rule, study in jobs if study == name) for name in names}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_can_be_planned(planned, name):
    if name not in planned:
        pytest.skip("the public data are not on this machine; set MATLENS_DATA to where they are")
    jobs, settings = planned[name], yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text())
    shards = settings["ingest"].get("shards", 1)
    assert jobs["ingest_plan"] == jobs["items"] == jobs["rejected"] == 1
    assert sum(count for rule, count in jobs.items() if rule.startswith("ingest_")) == 1 + shards
    assert jobs["segment"] == shards * len(settings.get("segment", {}))
    assert jobs["connect"] == shards * len(settings.get("connect", {}))
    assert jobs["figure"] == len(settings.get("figures", {}))
    if "acquire" in settings:
        assert jobs["acquire"] == jobs["judge"] > 0


def test_studies_of_public_data_are_known_without_the_data(monkeypatch):
    """The tests and the checks of a change skip the same studies where the public data are absent."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MATLENS_DATA", "/nowhere")
    here, absent = list_studies.plannable()
    assert sorted([*here, *absent]) == STUDIES
    assert {name for name in STUDIES if name.startswith("demo_")} - {*here} == set()
    some = ("superalloy_classical", "carry_over", "wen2021_charged", "matbench_steels", "nicral_database_spread")
    assert {*some, "omee2024_ood_jdft2d", "strain3d_solver_check", "loop_perovskites"} <= {*absent}
    assert "list_studies" in (ROOT / ".ci/run").read_text()


def test_the_rules_hold_no_functions_and_every_rule_has_a_line_of_its_own():
    functions = [line for line in RULES.splitlines() if re.match(r"\s*def ", line)]
    assert not functions, "functions stand in matlens/plan"
    bodies = re.findall(r"^ *rule ?(\w*):\n(.*?)(?=^ *rule|\Z)", RULES, re.M | re.S)
    assert len(bodies) > 40
    local = set(re.findall(r"\w+", " ".join(re.findall(r"^localrules:((?:\n    .*)+)", RULES, re.M))))
    for rule, body in bodies:
        assert re.match(r'\s+"""[A-Z].*\."""\n', body), f"rule {rule} has no docstring"
        if "script:" in body and rule not in local:
            assert "benchmark:" in body, f"rule {rule} measures nothing"
    assert "chgnet" not in RULES and "conda:" not in RULES and "ruleorder" not in RULES


def test_a_wildcard_of_a_rule_has_one_meaning():
    paths = re.findall(r'"((?:results|logs)/[^"]+)"', RULES)
    for path in paths:
        stage = path.split("/")[2] if path.count("/") > 2 else ""
        assert "{round}" not in path or stage == "acquire"
        assert "{fold}" not in path or stage == "predict"
        assert "{part}" not in path or stage in ("validate", "handoff")
        assert "{shard}" not in path or stage not in ("acquire", "validate", "handoff")


def test_the_library_of_the_plan_is_small_enough_to_be_read():
    for path in (ROOT / "workflow/matlens/plan").glob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 350, path.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path.name}: {node.name}"


WISH = """    "wish": Stage(
        "labels to wishes",
        families={"methods": "matlens.wish:METHODS"},
        gives=(Output("wishes", collected=True, table="wishes"), Output("rejected")),
    ),
}
# fmt: on
"""
WISH_RULE = """rule wish:
    input:
        labels="results/{study}/segment/otsu/labels/{shard}.zarr.zip",
    output:
        wishes="results/{study}/wish/{method}/wishes/{shard}.parquet",
        rejected="results/{study}/wish/{method}/rejected/{shard}.parquet",
    script:
        "../scripts/wish.py"
"""


def test_a_new_stage_takes_one_entry_and_a_file_of_rules(house):
    """Besides them it brings a package, a script and a schema: nothing else is edited."""
    library = house.folder / "workflow/matlens"
    table = library / "plan/stages.py"
    table.write_text(table.read_text().replace("}\n# fmt: on\n", WISH))
    (house.folder / "workflow/rules/wish.smk").write_text(WISH_RULE)
    (house.folder / "workflow/scripts/wish.py").touch()
    (library / "wish").mkdir()
    (library / "wish/__init__.py").write_text('METHODS = {"star": "matlens.wish.star:wish"}\n')
    schema = {"type": "object", "additionalProperties": False, "properties": {"star": {"type": "object"}}}
    (house.folder / "workflow/schemas/wish.schema.yaml").write_text(yaml.safe_dump(schema))
    source = {"shards": 2, "gamma_prime": {"ages_h": [1, 2], "images": 1, "size_px": [64, 64]}}
    house.study("mine", ingest=source, segment={"otsu": {}}, wish={"star": {}})
    done = house.run("-n", "--workflow-profile", "none", "--cores", "1", studies="mine")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-2000:]
    assert len(re.findall(r"^rule wish:", text, re.M)) == 2
    assert "results/mine/wish/star/wishes/all.parquet" in text and "results/mine/tables/wishes.csv" in text
    assert re.search(r"^(?:local)?rule rejected:\n +input:.*results/mine/wish/star/rejected/0001.parquet", text, re.M)


@pytest.mark.parametrize("target", ["figures", "report", "export"])
def test_make_hands_studies_and_target_to_snakemake_as_they_are_meant(target):
    from snakemake.cli import get_argument_parser

    words = [
        "make",
        "--no-print-directory",
        "-n",
        "-o",
        ".venv/installed",
        target,
        "STUDIES=a, b",
        "PROFILE=slurm",
        "ARGS=--cores 1 -n",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    command, place = done.stdout.splitlines()[-2:]
    asked, _ = get_argument_parser().parse_known_args(shlex.split(command)[1:])
    assert list(asked.targets) == [target] and f"{target}: results/" in place  # where it is
    assert asked.config == ["studies=a, b"]


@pytest.mark.parametrize(("words", "named"), [((), "a,b"), (("STUDIES=c",), "c")])
def test_resume_goes_on_with_the_studies_of_the_lost_run_by_one_make(tmp_path, words, named):
    """No second make is started: it would not have the option -o of the first."""
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / ".snakemake/matlens_studies").write_text("a,b\n")
    command = ["make", "--no-print-directory", "-n", "-o", ".venv/installed", "resume", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    first, run, status = done.stdout.splitlines()
    assert "matlens.cli.resume" in first and f'"--config=studies={named}"' in run and f'--studies "{named}"' in status


@pytest.mark.parametrize("locked", [True, False])
def test_a_run_in_a_locked_folder_names_the_command_that_goes_on(tmp_path, locked):
    """Snakemake advises an option of its own, which the commands of the project do not have."""
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    program = tmp_path / ".venv/bin/snakemake"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    if locked:
        (tmp_path / ".snakemake/locks/0.input.lock").touch()
    done = subprocess.run(["make", "-o", ".venv/installed", "run"], cwd=tmp_path, capture_output=True, text=True)
    assert "Error 1" in done.stderr
    assert ("go on with: make resume" in done.stderr) == locked
