"""A hand-off is complete, runs anywhere, stops on a signal, and is accepted only if its checksums prove it."""

import json
import os
import re
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from matlens.store import names as slugs
from matlens.validate import HANDOFFS, collect_results, engine_inputs, handoff, qe


def wait_for(path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.05)


def test_a_folder_has_all_that_a_stranger_needs(folder):
    names = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}
    assert names == {
        "SHA256SUMS", "manifest.json", "run.sh", "job.slurm", "ladder.txt", "pseudo/Si.upf",
        *(f"v{k:02d}.in" for k in range(7)),
    }  # fmt: skip
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder.path).returncode == 0
    about = json.loads((folder.path / "manifest.json").read_text())
    assert about["why"] == "first of the list" and about["item"] == "si"
    assert about["pseudopotentials"]["Si"]["cutoff"] == {"by": "its file", "wave_ry": 30.0}
    assert set(about["expected"]) == {f"results/v{k:02d}.{end}" for k in range(7) for end in ("xml", "out")}
    text = "".join(path.read_text() for path in folder.path.rglob("*") if path.is_file())
    assert str(folder.path.parents[1]) not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_a_manifest_says_by_what_its_results_will_be_judged_and_where_it_comes_from(prepare):
    limits = {"bulk_modulus_gpa": {"min": 150}}
    made = handoff.promised(prepare(), qe.judge, {"force_ev_a": 0.01, "minutes": 5}, limits).manifest
    assert made["accept"]["thresholds"] == {"force_ev_a": 0.01, "stress_gpa": 2.0, "fit_mev_per_atom": 1.0}
    assert made["accept"]["values"] == limits
    assert set(made["versions"]) == {"python", "matlens", "pymatgen", "spglib"}
    table = pd.DataFrame({"item": ["a"], "rank": [3], "score": [0.5], "log10_kvrh": [2.1], "reason": ["stiff"]})
    chosen = pd.DataFrame({"item": ["a"], "formula": ["Si"], "x_Si": [1.0]})
    (one,) = engine_inputs.describe(chosen, {"results/s/screen/weighted/shortlist/all.parquet": table})
    about = handoff.described(one, "qe")
    assert about["why"] == "stiff" and about["predicted"] == {"log10_kvrh": 2.1}
    assert about["ranked"] == [
        {"shortlist": "results/s/screen/weighted/shortlist/all.parquet", "rank": 3, "score": 0.5}
    ]


def test_the_same_candidate_gives_the_same_bytes_and_keeps_what_ran(folder, prepare, tmp_path, hand_over):
    assert folder.run() == 0
    before = folder.outcome()
    assert handoff.write(folder.path, prepare(), {}) == (folder.sha256, folder.inputs)
    assert folder.outcome() == before
    assert hand_over(tmp_path / "other", prepare()).sha256 == folder.sha256


def test_other_physics_makes_way_and_what_ran_is_kept_aside(folder, prepare):
    assert folder.run() == 0
    handoff.write(folder.path, prepare(cutoff_ry=50.0), {})
    assert collect_results.state(folder.path) == {}
    aside = list((folder.path.parent / ".superseded").iterdir())
    assert len(aside) == 1 and (aside[0] / "status.json").exists()


def test_a_run_is_accepted_with_the_volume_and_stiffness_that_the_stand_in_has(folder):
    assert folder.run() == 0
    found = folder.outcome()
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["volume_a3_per_atom"][0] == pytest.approx(20.0, rel=1e-4)
    assert found["values"]["lattice_constant_a"][0] == pytest.approx(160 ** (1 / 3), rel=1e-4)
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(100.0, rel=2e-2)
    assert collect_results.state(folder.path)["retries"] == 0


def test_a_limit_that_is_not_met_rejects(folder):
    folder.run()
    found = folder.outcome(force_ev_a=-1.0)
    assert found["status"] == "rejected" and "largest force" in found["reason"]


def test_masked_lack_of_convergence_climbs_the_ladder_and_ends_as_failed(folder):
    assert folder.run("masked") == 1
    log = (folder.path / "attempts.log").read_text()
    tried = re.findall(r"retry=(\w+)", log)
    assert tried == ["mixing", "diagonalisation", "smearing", "cutoff"] and len(tried) <= 5
    assert "exit=0" in log
    found = folder.outcome()
    assert found["status"] == "failed" and "not converged after 4 retries" in found["reason"]
    assert folder.run("masked") == 1  # and again: nothing is tried twice
    assert re.findall(r"retry=(\w+)", (folder.path / "attempts.log").read_text()) == tried


def test_a_rung_that_helps_is_climbed_once_and_accepted(folder):
    assert folder.run("stubborn") == 0
    assert re.findall(r"retry=(\w+)", (folder.path / "attempts.log").read_text()) == ["mixing"]
    assert collect_results.state(folder.path)["retries"] == 1
    assert folder.outcome()["status"] == "accepted"
    assert "mixing_beta = 0.2" in (folder.path / "results/v04.in").read_text()


def test_a_crash_is_retried_and_a_kill_is_not(folder):
    assert folder.run("crash") == 1
    assert "killed (signal 11)" in folder.outcome()["reason"]
    assert "retry" not in (folder.path / "attempts.log").read_text()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_saves_stops_the_child_says_so_and_the_next_run_ends_as_if_undisturbed(folder, sent):
    job = folder.start("slow")
    wait_for(folder.path / "began")
    assert collect_results.state(folder.path)["state"] == "RUNNING"
    assert folder.outcome()["status"] == "pending"
    job.send_signal(sent)
    job.communicate(timeout=60)
    assert job.returncode == 143
    assert folder.processes() == []
    assert collect_results.state(folder.path)["state"] == "TERMINATED"
    assert folder.outcome()["status"] == "failed" and "run it again" in folder.outcome()["reason"]
    assert folder.run() == 0
    assert folder.outcome()["status"] == "accepted"


def test_a_child_that_does_not_listen_is_ended_all_the_same(folder):
    job = folder.start("deaf")
    wait_for(folder.path / "began")
    children = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert children and not any(os.path.exists(f"/proc/{child}") for child in children)


def test_a_child_that_began_as_the_signal_came_is_ended_too(folder):
    """The signal is heard after the child begins and before the script has noted which process it is."""
    script = handoff.template("head.sh") + "true &\nawait\nsleep 300 &\nkill -TERM $$\nawait\n"
    job = subprocess.run(["sh"], input=script, cwd=folder.path, capture_output=True, text=True, timeout=60)
    assert job.returncode == 143, job.stderr
    assert folder.processes() == []


def test_a_run_that_was_killed_without_a_word_goes_on(folder):
    job = folder.start("slow")
    wait_for(folder.path / "began")
    children = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
    job.kill()
    job.communicate()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    found = folder.outcome()
    assert found["status"] == "pending" and "was killed" in found["reason"]
    assert folder.run() == 0
    assert folder.outcome()["status"] == "accepted"


def test_two_runs_of_one_folder_do_not_meet(folder):
    job = folder.start("slow")
    wait_for(folder.path / "began")
    assert folder.run() == 75
    (folder.path / "go").touch()
    job.communicate(timeout=60)
    assert job.returncode == 0
    assert folder.outcome()["status"] == "accepted"


def test_a_run_without_time_says_so_and_begins_nothing(folder):
    assert folder.run(WALL_SECONDS="30") == 75
    assert collect_results.state(folder.path)["state"] == "WALLTIME"
    assert folder.run() == 0
    assert folder.outcome()["status"] == "accepted"


def test_without_its_engine_a_folder_is_pending_and_says_how_to_run_it(folder):
    found = folder.outcome()
    assert found["status"] == "pending" and "run.sh" in found["reason"] and "sbatch" in found["reason"]
    assert folder.run(PW="no-such-program") == 69
    assert collect_results.state(folder.path)["state"] == "NOT_RUN"
    assert folder.outcome()["status"] == "pending"


def test_a_folder_that_ran_elsewhere_is_accepted_when_it_is_dropped_back(folder, prepare, tmp_path, hand_over):
    there = hand_over(tmp_path / "elsewhere" / "job", prepare())
    assert there.run() == 0
    (folder.path / "results").mkdir()
    for path in (there.path / "results").iterdir():
        (folder.path / "results" / path.name).write_bytes(path.read_bytes())
    assert folder.outcome()["status"] == "rejected" and "status.json" in folder.outcome()["reason"]
    (folder.path / "status.json").write_bytes((there.path / "status.json").read_bytes())
    assert folder.outcome()["status"] == "accepted"


def test_results_of_another_candidate_are_refused(folder, prepare, tmp_path, hand_over, silicon):
    other = hand_over(tmp_path / "other", prepare("other", silicon(5.6)))
    other.run()
    folder.run()
    (folder.path / "status.json").write_bytes((other.path / "status.json").read_bytes())
    found = folder.outcome()
    assert found["status"] == "rejected" and "stale" in found["reason"]


def edit(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_inputs_that_were_changed_are_not_run_and_not_believed(folder):
    edit(folder.path / "v02.in", "conv_thr", "conv_thR")
    assert folder.run() == 65
    assert "v02.in" in collect_results.state(folder.path)["message"]
    assert folder.outcome()["status"] == "rejected" and "v02.in was changed" in folder.outcome()["reason"]


@pytest.mark.parametrize(
    ("harm", "status", "word"),
    [
        (lambda f: (f / "results/v01.xml").write_text("<a/>"), "rejected", "v01.xml was changed"),
        (lambda f: (f / "results/v01.xml").unlink(), "rejected", "v01.xml is missing"),
        (lambda f: (f / "status.json").write_text('{"state": "FINI'), "rejected", "cannot be read"),
        (lambda f: edit(f / "status.json", '"inputs": "', '"inputs": "0'), "rejected", "stale"),
        (lambda f: (f / "SHA256SUMS").unlink(), "failed", "half-written"),
        (lambda f: (f / "pseudo/Si.upf").unlink(), "failed", "pseudo/Si.upf is missing"),
        (lambda f: edit(f / "SHA256SUMS", "v00", "v09"), "rejected", "not the one that was handed over"),
        (lambda f: edit(f / "status.json", "results/v01.xml", "../../../etc/passwd"), "rejected", "outside the folder"),
        (lambda f: edit(f / "pseudo/Si.upf", "PBE", "LDA"), "rejected", "Si.upf was changed"),
    ],
)
def test_a_folder_that_was_meddled_with_is_not_believed(folder, harm, status, word):
    folder.run()
    harm(folder.path)
    found = folder.outcome()
    assert found["status"] == status and word in found["reason"]
    assert found["values"] == {}


@pytest.mark.parametrize("engine", sorted(HANDOFFS))
def test_scripts_are_plain_sh_and_know_nothing_of_names(engine):
    made = handoff.scripts(engine, "a-b_c", 60, 2)
    for name, text in made.items():
        assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0, name
        assert "@" not in re.sub(r'"\$@"|B:USR1@120', "", text), name
        assert not re.search(r"\bpython\b", text) or engine in ("gpaw", "thermocalc"), name
    assert "#SBATCH --signal=B:USR1@120" in made["job.slurm"]


HOSTILE = [
    "plain", "a b", "it's", 'say "x"', "$(touch x)", "`id`", "line\nbreak", "-rf", "..", ".", "../../etc/passwd",
    "日本", "é", "a" * 300, "handoffs", "rejected", "", " ", "*", "a;b", "a&b", "CON", "x/y", "x\\y", "\x00",
    "a" * 299 + "b",
]  # fmt: skip


def test_names_of_folders_are_safe_whatever_items_are_called():
    found = [slugs.slug(name, handoff.RESERVED) for name in HOSTILE]
    assert len(set(found)) == len(found)
    for name in found:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", name) and name not in handoff.RESERVED
    assert slugs.slug(found[1], handoff.RESERVED) != found[1]  # nobody can take a made name


def test_a_hostile_item_is_handed_over_and_harms_nobody(tmp_path, pseudo, hand_over, silicon):
    from matlens.validate import qe

    item = "$(touch harm) `touch harm` '\"\n-rf"
    candidate = {"item": item, "formula": "Si", "name": slugs.slug(item), "reason": item, "predicted": {}}
    folder = hand_over(
        tmp_path / "h" / slugs.slug(item), qe.prepare(candidate, silicon(), pseudopotential_folder=pseudo)
    )
    assert folder.run() == 0
    assert folder.outcome()["status"] == "accepted"
    assert not list(tmp_path.rglob("harm"))
    assert json.loads((folder.path / "manifest.json").read_text())["item"] == item


def test_large_files_are_shared_among_folders(tmp_path, prepare):
    seen: dict = {}
    for name in ("one", "two", "three"):
        handoff.write(tmp_path / "many" / name, prepare(name), seen)
    assert os.stat(tmp_path / "many/three/pseudo/Si.upf").st_nlink == 3


def test_energies_are_compared_only_where_their_settings_are_equal(prepare, silicon):
    same, other = prepare("a").settings, prepare("b", silicon(5.6)).settings
    assert handoff.fingerprint(same) == handoff.fingerprint(other)
    assert handoff.fingerprint(prepare("a", cutoff_ry=44.0).settings) != handoff.fingerprint(same)
    assert np.isfinite(same["cutoff_ry"])
