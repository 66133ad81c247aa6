"""Code as a parameter: which files of the library stand behind a rule, found by reading imports, never by importing.

Snakemake reruns a rule when its script or a parameter changes, not when a module that the script imports does. So each
rule has a digest of these files as a parameter: as inputs, Snakemake looked at each of them anew for every output.
"""

import hashlib
import re
import sys
from functools import cache
from pathlib import Path

from matlens.store.files import sha256

WORKFLOW = Path(__file__).resolve().parents[2]
OWN = (Path(__file__).resolve().parents[1].name, "figures")  # packages whose files are inputs of jobs
COMMENT = re.compile(r"#[^\n]*")
STATEMENT = rf"(?:from[ \t]+((?:{'|'.join(OWN)})[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([\w., \t]+))$"
ANYWHERE, AT_THE_TOP = re.compile(rf"^[ \t]*{STATEMENT}", re.M), re.compile(f"^{STATEMENT}", re.M)
LIKELY = {  # libraries that jobs mostly use where their code imports them at any depth
    name: re.compile(rf"^[ \t]*(?:from|import)[ \t][^\n]*\b{name.split('.')[-1]}\b", re.M)
    for name in ("numba", "scipy.ndimage", "scipy.spatial")
}
OTHERS = re.compile(r"^(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.M)
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
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _direct(path: Path) -> frozenset[Path]:
    files = {_file(name) for name in _imports(_text(path))}
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
def libraries(code: str) -> list[str]:
    """List the modules of other packages that jobs with the digest `code` import.

    They are named at the top of the script, of the other modules that the digest started from, and of what these name
    at their top; no other is sure, and some are likely. Modules of this project are left to the job: one that hangs or
    fails is its own affair.
    """
    starts = STARTS.get(code, ())
    todo = [WORKFLOW / start if start.endswith(".py") else _file(start.split(":")[0]) for start in starts]
    texts = [_text(WORKFLOW.parent / path) for path in closure(*starts)]
    done, found = set(), {name for name, form in LIKELY.items() if any(map(form.search, texts))}
    while todo:
        path = todo.pop()
        if path not in done:
            done.add(path)
            todo += filter(None, map(_file, _imports(_text(path), AT_THE_TOP)))
            found |= {name for pair in OTHERS.findall(_text(path)) for name in pair if name}
    return sorted(name for name in found if name.split(".")[0] not in {*OWN, *sys.stdlib_module_names})
