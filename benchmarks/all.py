"""Run every benchmark; one that lacks a public set, or the result of a study, is skipped with the reason.

Run: make benchmark
A script says what it needs: NEEDS = {"set": name of a set of data/catalog.yaml} or {"study": pattern of studies}.
"""

import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "workflow"))


def needs(script: Path) -> dict[str, str]:
    """Read what a script needs from its literal NEEDS, without running it."""
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NEEDS":
            return ast.literal_eval(node.value)
    return {}


def lacking(script: Path) -> str:
    """Return what a script lacks and where it comes from; "" if nothing."""
    from matlens.store import catalog

    for kind, name in needs(script).items():
        if kind == "set" and not catalog.available(name):
            return catalog.advice(name, next(iter(catalog.entry(name)["files"])))
        if kind == "study" and not list((HERE.parent / "results").glob(f"{name}/tables")):
            return f"it reads the results of studies; first: make run STUDIES={name}"
    return ""


def main() -> None:
    """Run the scripts one after the other; exit with the number of those that failed."""
    failed = []
    for script in sorted(HERE.glob("[!_]*.py")):
        if script.name == Path(__file__).name:
            continue
        print(f"== {script.name}", flush=True)
        if why := lacking(script):
            print(f"skipped: {why}")
        elif subprocess.run([sys.executable, str(script)], cwd=HERE.parent).returncode:
            failed.append(script.name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
