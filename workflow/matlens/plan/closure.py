"""Code as an input: which files of the library stand behind a rule, found by reading imports, never by importing.

Snakemake reruns a rule when its script changes, not when a module that the script imports does.
"""

import re
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[2]
OWN = (Path(__file__).resolve().parents[1].name, "figures")  # packages whose files are inputs of jobs
COMMENT = re.compile(r"#[^\n]*")
IMPORT = re.compile(
    rf"^[ \t]*(?:from[ \t]+((?:{'|'.join(OWN)})[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([\w., \t]+))$",
    re.M,
)


def _file(module: str) -> Path | None:
    """Return the file of a module of this library, or None for anything else."""
    base = WORKFLOW.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _imports(text: str) -> set[str]:
    """List every module of this project that a source file names in an import statement, at any depth.

    Import statements are found by their form: parsing the library would take a third of the time of an empty run.
    """
    found = set()
    for module, names, modules in IMPORT.findall(COMMENT.sub("", text)):
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
