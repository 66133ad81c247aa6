"""Code as a parameter: which files of the library stand behind a rule, found by reading imports, never by importing.

Snakemake reruns a rule when its script or a parameter changes, not when a module that the script imports does. So each
rule has a digest of these files as a parameter: as inputs, Snakemake looked at each of them anew for every output.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from matlens.store.files import sha256

WORKFLOW = Path(__file__).resolve().parents[2]
OWN = (Path(__file__).resolve().parents[1].name, "figures")  # packages whose files are inputs of jobs
COMMENT = re.compile(r"#[^\n]*")
STATEMENT = rf"(?:from[ \t]+((?:{'|'.join(OWN)})[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([\w., \t]+))$"
ANYWHERE, AT_THE_TOP = re.compile(rf"^[ \t]*{STATEMENT}", re.M), re.compile(f"^{STATEMENT}", re.M)
KERNELS = re.compile(r"^(?:import|from) numba\b", re.M)
STARTS: dict[str, tuple[str, ...]] = {}  # of each digest


def _file(module: str) -> Path | None:
    """Return the file of a module of this library, or None for anything else."""
    base = WORKFLOW.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _imports(text: str, statement: re.Pattern = ANYWHERE) -> set[str]:
    """List every module of this project that a source file names in an import statement, at any depth or at the top.

    Import statements are found by their form: parsing the library would take a third of the time of an empty run.
    """
    found = set()
    for module, names, modules in statement.findall(COMMENT.sub("", text)):
        if module:
            parts = [part.split()[0] for part in names.strip("()").split(",") if part.strip()]
            found |= {module, *(f"{module}.{part}" for part in parts)}
        else:
            found |= {part.split()[0] for part in modules.split(",")}
    return {name for name in found if name.split(".")[0] in OWN}


@cache
def _direct(path: Path) -> frozenset[Path]:
    files = {_file(name) for name in _imports(path.read_text(encoding="utf-8"))}
    return frozenset(files - {None})


@cache
def closure(*starts: str) -> list[str]:
    """List the library files that some modules or scripts reach through imports, themselves included.

    `starts` are dotted module names (`matlens.segment.otsu`), `module:function` entries of a method table,
    or paths of scripts relative to the folder `workflow`. Returns sorted paths relative to the folder that
    holds `workflow`: absolute ones would rerun everything when the repository moves.
    """
    found, todo = set(), []
    for start in starts:
        path = WORKFLOW / start if start.endswith(".py") else _file(start.split(":")[0])
        if path is None or not path.is_file():
            raise FileNotFoundError(f"no source file behind '{start}'")
        todo.append(path)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _direct(path)
    return sorted(str(path.relative_to(WORKFLOW.parent)) for path in found)


@cache
def _sha256(path: str) -> str:
    return sha256(WORKFLOW.parent / path)


@cache
def digest(*starts: str) -> str:
    """Return the SHA-256 of the names and contents of the library files that some modules or scripts reach."""
    lines = "".join(f"{path} {_sha256(path)}\n" for path in closure(*starts))
    found = hashlib.sha256(lines.encode()).hexdigest()
    STARTS.setdefault(found, starts)
    return found


@cache
def begins(code: str) -> list[str]:
    """List the modules that jobs with the digest `code` import.

    These are what their script imports at the top, and the other modules that the digest started from. No other is
    sure; but where there are kernels of Numba they are mostly used, and its start takes longer than their work.
    """
    starts = STARTS.get(code, ())
    found = {_module(path) for path in closure(*starts) if KERNELS.search((WORKFLOW.parent / path).read_text("utf-8"))}
    for start in starts:
        if start.startswith("scripts/"):
            names = _imports((WORKFLOW / start).read_text(encoding="utf-8"), AT_THE_TOP)
            found |= {name for name in names if _file(name)}
        else:
            found.add(_module(start).split(":")[0])
    return sorted(found)


def _module(path: str) -> str:
    return path.removeprefix("workflow/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")
