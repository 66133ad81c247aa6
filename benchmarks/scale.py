"""What orchestration costs: planning 10^3 to 10^6 items, the start-up of every door, a screening of 18,928 crystals.

    python benchmarks/scale.py [--most 1000000] [--docs docs] [--screening] [--growth]

Plans are dry runs of a study of synthetic crystals that are connected and predicted, with so many shards that a shard
has 200 items at least and the graph of jobs stays small. `--docs` draws the figure scale.svg there; `--screening`
runs the perovskites of Matbench on two cores and divides the time into work and the rest; `--growth` compares the
memory of jobs at 10,000 and 100,000 crystals.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("Snakefile", "config", "profiles", "workflow", "data/catalog.yaml", "data/weights")
LEAST_ITEMS, MOST_SHARDS = 200, 1200
SLURM_JOB_S = 6.0  # start of a job on a quiet Slurm, before its first line: two Snakemakes
SALT = {"prototypes": ["rock_salt"], "elements": {"A": ["Na"], "X": ["Cl"]}}
WEIGHTS = "data/weights/cgcnn_log10_bulk_modulus.safetensors"
SCREENINGS = {"a network": False, "a network and a potential": True}
PEROVSKITES = 18_928
SUBREAPER = 36  # of prctl: orphans become children of this process
SPANS = """
import builtins as _b, json as _j, resource as _r, time as _t
_state, _import = {"depth": 0, "spent": 0.0}, _b.__import__
def _timed(*words, **more):
    _state["depth"] += 1
    began = _t.process_time()
    try:
        return _import(*words, **more)
    finally:
        _state["depth"] -= 1
        if not _state["depth"]:
            _state["spent"] += _t.process_time() - began
_b.__import__ = _timed
"""
CALL = "            main(**_arguments(main, job))\n"
TIMED = f"""
            _began, _cpu, _before = _t.time(), _t.process_time(), _state["spent"]
{CALL.rstrip()}
            _work = _t.process_time() - _cpu - (_state["spent"] - _before)
            with open("spans.jsonl", "a") as _file:
                _kb = _r.getrusage(_r.RUSAGE_SELF).ru_maxrss
                _file.write(_j.dumps([job.rule, _began, _t.time(), _work, _t.process_time(), _kb]) + chr(10))
"""


def house(folder: Path) -> Path:
    """Copy the workflow into a folder of its own."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def study(folder: Path, shards: int, ingest: dict, stable: bool = False) -> None:
    """Write the study: crystals, their graphs, a property by ready weights, a shortlist.

    `stable`: a universal potential says how far above the hull of all each lies, as it is, and the list asks for that.
    """
    settings = {
        "title": "scale",
        "ingest": {"shards": shards, **ingest},
        "connect": {"knn": {}},
        "predict": {"pretrained": {"weights": {"log10_bulk_modulus_gpa": WEIGHTS}}},
        "screen": {"properties": {"log10_bulk_modulus_gpa": {"goal": "maximize"}}, "weighted": {}},
    }
    if stable:
        settings["predict"]["chgnet"] = {"steps": 0}
        settings["screen"]["properties"]["energy_above_hull_ev_per_atom"] = {"goal": "minimize", "max": 0.1}
    (folder / "config/studies/scale.yaml").write_text(json.dumps(settings))


def measured(command: list[str], folder: Path) -> dict:
    """Run a command; return its wall seconds, processor seconds of all processes and of its own, memory in MB, text.

    Processes that outlive their parents, as the one that forks jobs, become children of this one and are waited for.
    """
    began, before = time.monotonic(), spent()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, cwd=folder, stdout=told, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        with suppress(ChildProcessError):
            while True:
                os.wait()
        told.seek(0)
        text = told.read()
    if status:
        raise SystemExit(text)
    own = used.ru_utime + used.ru_stime
    return {"wall_s": wall, "cpu_s": spent() - before, "own_s": own, "mb": used.ru_maxrss / 1024, "text": text}


def spent() -> float:
    """Return the processor seconds of all children that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def snakemake(*words: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--config", "studies=scale", *words]


def many(path: Path, items: int) -> None:
    """Write a file of so many rock salts, each with a lattice constant of its own."""
    with open(path, "w") as file:
        for number in range(items):
            half = 2.0 + number / items
            cell = [[0, half, half], [half, 0, half], [half, half, 0]]
            one = {"id": f"salt_{number:07d}", "cell": cell, "species": ["Na", "Cl"], "frac": [[0] * 3, [0.5] * 3]}
            file.write(json.dumps(one) + "\n")


def plan(items: int) -> dict:
    """List so many crystals by the first job of a study, then plan all others by a dry run."""
    shards = max(1, min(MOST_SHARDS, items // LEAST_ITEMS))
    with tempfile.TemporaryDirectory() as name:
        folder = house(Path(name))
        many(folder / "many.jsonl", items)
        study(folder, shards, {"structures": {"path": "many.jsonl"}})
        listed = "results/scale/ingest/structures/plan/all.parquet"
        first = measured(snakemake("--cores", "1", "--quiet", "all", "--", listed), folder)
        found = measured(snakemake("-n", "--quiet", "rules"), folder)
    jobs = next(int(line.split()[1]) for line in found["text"].splitlines() if line.startswith("total "))
    row = {"items": items, "shards": shards, "jobs": jobs, **{k: found[k] for k in ("wall_s", "cpu_s", "mb")}}
    return row | {"listing_s": first["cpu_s"], "listing_mb": first["mb"]}


def doors() -> dict[str, float]:
    """Measure the processor seconds that each door takes to say how it is called."""
    found = {}
    os.environ["PYTHONPATH"] = str(ROOT / "workflow")
    for path in sorted((ROOT / "workflow/scripts").glob("*.py")):
        found[path.stem] = measured([sys.executable, str(path), "--help"], ROOT)["cpu_s"]
    return found


def draw(rows: list[dict], path: Path) -> None:
    """Draw time and memory of planning against the number of items."""
    sys.path.insert(0, str(ROOT / "workflow"))
    from figures import style

    with style.matplotlib.rc_context(style.STYLE):
        figure = style.Figure(figsize=(style.PAGE_IN, 2.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        each = rows[-1]["cpu_s"] / rows[-1]["jobs"]
        items = [row["items"] for row in rows]
        left.loglog(items, [row["cpu_s"] for row in rows], "o-", color=style.INK, label="shards")
        left.loglog(items, [each * 3 * n for n in items], "--", color=style.FAINT, label="a job for each item and step")
        left.set(xlabel="items", ylabel="planning (CPU s)")
        left.legend()
        right.semilogx(items, [row["mb"] for row in rows], "o-", color=style.INK)
        right.set(xlabel="items", ylabel="memory (MB)", ylim=(0, None))
        figure.savefig(path, metadata={"Date": None})


def watched(folder: Path) -> None:
    """Make the scripts of a copied project record their times and memory."""
    door = folder / "workflow/matlens/job/entry.py"
    text = door.read_text()
    assert text.count(CALL) == 1, "entry.py calls main elsewhere"
    text = text.replace(CALL, TIMED.lstrip("\n"))
    door.write_text(text.replace('"""Run', SPANS.strip() + '\n"""Run', 1))


def spans(folder: Path) -> list[list]:
    """Read what the doors wrote: rule, begin, end, seconds of work, of the process, and kB."""
    return [json.loads(line) for line in (folder / "spans.jsonl").read_text().splitlines()]


def largest(rows: list[list]) -> dict[str, float]:
    """Give the memory of the largest job of each rule, MB."""
    return {rule: max(row[5] for row in rows if row[0] == rule) / 1024 for rule in sorted({row[0] for row in rows})}


def growth(items: int) -> dict[str, float]:
    """Screen so many rock salts in shards of 5,000; return the memory of the largest job of each rule, MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = house(Path(name))
        many(folder / "many.jsonl", items)
        study(folder, max(1, items // 5000), {"structures": {"path": "many.jsonl"}})
        watched(folder)
        measured(snakemake("--cores", "2", "--quiet", "all"), folder)
        return largest(spans(folder))


def screening(stable: bool) -> dict:
    """Screen the perovskites of Matbench on two cores, and tell the work of the doors from all that is around it.

    Work is what runs inside a door's `main`, but for imports. Snakemake, with its plan and its polling, is a
    process of its own. The rest is the start of processes and imports, of the process that forks jobs and of the jobs.
    """
    sys.path.insert(0, str(ROOT / "workflow"))
    from matlens.store import catalog

    found = Path(catalog.find("matbench_perovskites", "structures.jsonl.gz"))
    os.environ.setdefault("MATLENS_DATA", str(found.parents[2]))  # the copied project lies elsewhere
    with tempfile.TemporaryDirectory() as name:
        folder = house(Path(name))
        study(folder, 1, {"prototypes": SALT}, stable)
        measured(snakemake("--cores", "2", "--quiet", "all"), folder)  # compiles what is compiled once on a machine
        study(folder, 2, {"crystal_set": {"name": "matbench_perovskites", "targets": ["y"]}}, stable)
        watched(folder)
        found = measured(snakemake("--cores", "2", "--quiet", "all"), folder)
        rows = spans(folder)
    work = {rule: sum(row[3] for row in rows if row[0] == rule) for rule in sorted({row[0] for row in rows})}
    covered, end = 0.0, 0.0
    for began, ended in sorted((began, ended) for _, began, ended, *_ in rows):  # when some door was at work
        covered += max(0.0, ended - max(began, end))
        end = max(end, ended)
    return {
        "wall_s": found["wall_s"],
        "at_work_s": covered,
        "cpu_s": found["cpu_s"],
        "work_s": sum(work.values()),
        "snakemake_s": found["own_s"],
        "jobs": len(rows),
        "by_rule_s": work,
        "by_rule_mb": largest(rows),
    }


def listed(values: dict[str, float], digits: int) -> str:
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in values.items())


def tell_planning(rows: list[dict]) -> tuple[float, float]:
    """Print what planning and starting cost; return the seconds of planning a job and of starting one."""
    heads = ["items", "shards", "jobs", "planning, CPU s", "wall s", "MB", "listing the items, CPU s", "MB"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    cells = "| {items:,} | {shards:,} | {jobs:,} | {cpu_s:.1f} | {wall_s:.1f} | {mb:.0f} "
    cells += "| {listing_s:.1f} | {listing_mb:.0f} |"
    print("\n".join(lines + [cells.format(**row) for row in rows]))
    started = doors()
    print(f"start-up of a script, CPU s: {listed(started, 2)}")
    last, start = rows[-1], sum(started.values()) / len(started)
    each, whole = last["cpu_s"] / last["jobs"], 3 * last["items"]
    print(
        f"a job for each of {last['items']:,} items and step would be {whole:,} jobs: {whole * each / 3600:.1f} h of "
        f"planning, {whole * start / 3600:.0f} h of start-up, {whole * SLURM_JOB_S / 3600:.0f} h of starting on Slurm; "
        f"in {last['jobs']:,} jobs {last['cpu_s']:.0f} s, {last['jobs'] * start / 3600:.1f} h, "
        f"{last['jobs'] * SLURM_JOB_S / 3600:.1f} h"
    )
    return each, start


def tell_screening(words: str, found: dict, each: float, start: float) -> None:
    """Print what of a screening was work, and what one job for each item and step would cost."""
    print(
        f"screening of {PEROVSKITES:,} perovskites by {words} in {found['jobs']} jobs: {found['cpu_s']:.0f} CPU s, "
        f"{found['work_s']:.1f} of work, {found['cpu_s'] - found['snakemake_s'] - found['work_s']:.1f} of start-up and "
        f"imports, {found['snakemake_s']:.1f} of Snakemake, so {1 - found['work_s'] / found['cpu_s']:.0%} of "
        f"orchestration; {found['wall_s']:.0f} s wall, no script running in "
        f"{1 - found['at_work_s'] / found['wall_s']:.0%} of it; CPU s of work: "
        f"{listed(found['by_rule_s'], 1)}; MB at most: {listed(found['by_rule_mb'], 0)}"
    )
    whole = 3 * PEROVSKITES
    print(
        f"  one job for each item and step would be {whole:,} jobs: {whole * start / 3600:.1f} CPU h of start-up "
        f"and {whole * each / 60:.0f} CPU min of planning, beside {found['work_s']:.0f} CPU s of work"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--screening", action="store_true")
    parser.add_argument("--growth", action="store_true")
    chosen = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if (shared := ROOT.parent / "shared/data").is_dir():
        os.environ.setdefault("MATLENS_DATA", str(shared))
    rows = [plan(items) for items in (1000, 10_000, 100_000, 1_000_000) if items <= chosen.most]
    each, start = tell_planning(rows)
    for words, stable in SCREENINGS.items() if chosen.screening else ():
        tell_screening(words, screening(stable), each, start)
    for items in (10_000, 100_000) if chosen.growth else ():
        print(f"screening of {items:,} rock salts in shards of 5,000, MB at most: {listed(growth(items), 0)}")
    if chosen.docs:
        draw(rows, chosen.docs / "scale.svg")


if __name__ == "__main__":
    main()
