"""A changed formula reruns its users, and only those: the closure holds the imports of a module, and nothing else."""

import ast
import subprocess
import sys

import pytest
from matlens import segment
from matlens.plan import closure


def test_closure_equals_what_python_really_imports():
    script = "import sys, {m}; print(*sorted(n for n in sys.modules if n.split('.')[0] == 'matlens'), sep='\\n')"
    for entry in segment.METHODS.values():
        module = entry.split(":")[0]
        run = subprocess.run(
            [sys.executable, "-c", script.format(m=module)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(closure.WORKFLOW)},
        )
        # A package itself holds tables and no formula: a new entry of a table reruns nothing.
        folder = {name: closure.WORKFLOW.joinpath(*name.split(".")).is_dir() for name in run.stdout.split()}
        imported = {name for name, package in folder.items() if not package}
        listed = {
            path.removeprefix("workflow/").removesuffix(".py").replace("/", ".") for path in closure.closure(entry)
        }
        assert imported <= listed


def test_paths_are_relative_and_methods_do_not_drag_each_other_in():
    found = closure.closure("scripts/segment.py", segment.METHODS["otsu"])
    assert "workflow/matlens/segment/otsu.py" in found
    assert "workflow/matlens/segment/controls.py" not in found
    assert all(path.startswith("workflow/") for path in found)


def test_a_digest_changes_with_the_code_and_knows_what_its_jobs_import():
    from matlens import connect, predict

    first = closure.digest("scripts/segment.py", segment.METHODS["otsu"])
    assert first == closure.digest("scripts/segment.py", segment.METHODS["otsu"])
    assert first != closure.digest("scripts/segment.py", segment.METHODS["watershed"])
    assert "numpy" in closure.libraries(first)
    assert "workflow/matlens/learn/checkpoints.py" in closure.closure("scripts/hull.py")
    assert "torch" not in closure.libraries(closure.digest("scripts/hull.py")), "for some jobs only"
    graphs = closure.libraries(closure.digest("scripts/connect.py", connect.METHODS["knn"]))
    assert "numba" in graphs, "of kernels that a method imports later"
    drawn = closure.libraries(closure.digest("scripts/figure.py", "figures/style.py", "figures/__init__.py"))
    assert "matplotlib" in {name.split(".")[0] for name in drawn}
    network = closure.digest("scripts/predict_pretrained.py", predict.CRYSTAL_METHODS["cgcnn"])
    assert "torch" in closure.libraries(network)
    every = {name.split(".")[0] for name in [*graphs, *drawn, *closure.libraries(network)]}
    assert not every & {"matlens", "figures", *sys.stdlib_module_names}
    assert closure.libraries("") == []


def test_the_digest_of_changed_code_is_another(tmp_path, monkeypatch):
    folder = tmp_path / "workflow/matlens"
    folder.mkdir(parents=True)
    monkeypatch.setattr(closure, "WORKFLOW", tmp_path / "workflow")
    (folder / "mine.py").write_text("from matlens import other\n")
    found = []
    for text in ("x = 1", "x = 2", "x = 1"):
        (folder / "other.py").write_text(text)
        for cached in (closure.digest, closure.closure, closure._direct, closure._sha256, closure._text):
            cached.cache_clear()
        found.append(closure.digest("matlens.mine"))
    assert found[0] != found[1] and found[0] == found[2]
    monkeypatch.undo()
    for cached in (closure.digest, closure.closure, closure._direct, closure._sha256, closure._text):
        cached.cache_clear()


def test_every_rule_with_a_script_has_the_digest_of_its_code():
    import re

    for path in sorted((closure.WORKFLOW / "rules").glob("*.smk")):
        rules = re.split(r"^ *rule\b", path.read_text(), flags=re.M)[1:]
        for rule in rules:
            if "script:" in rule:
                assert re.search(r"^ *params:\n(?:.*\n)*? *code=", rule, re.M), f"{path.name}: {rule[:60]}"


def test_a_start_without_a_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"matlens\.segment\.nothing"):
        closure.closure("matlens.segment.nothing:segment")


def test_a_figure_reruns_when_another_file_of_figures_that_it_imports_changes():
    assert "workflow/figures/outcomes.py" in closure.closure("figures.tracks:draw")
    assert "workflow/figures/outcomes.py" not in closure.closure("figures.sizes:draw")


def test_imports_found_by_their_form_are_those_of_the_syntax_tree():
    def named(tree: ast.AST) -> set[str]:
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, "a relative import is no input of a job"
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return {name for name in found if name.split(".")[0] in closure.OWN}

    files = sorted(path for path in closure.WORKFLOW.rglob("*.py") if "templates" not in path.parts)
    assert len(files) > 300
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert closure._imports(text) == named(ast.parse(text)), path
    several = "from matlens.a import (  # why (so)\n    b,\n    c as d,\n)\nif b:\n    import matlens.e, numpy\n"
    assert closure._imports(several) == named(ast.parse(several)) == {
        "matlens.a", "matlens.a.b", "matlens.a.c", "matlens.e",
    }  # fmt: skip
