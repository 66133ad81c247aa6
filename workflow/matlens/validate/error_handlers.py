"""Error handlers: at most five changes of settings per engine, applied in order, each at most once.

`when` is the cause: `walltime` (stopped in time, with its state saved), `electrons` (no self-consistency), or `any`
failure that is no fault of the input. A rung that would change energies has the scope `all`: every volume is done again
with it, so that energies of one equation of state are always comparable. `set` gives the new value of a setting, or a
factor on the old one as "*1.5".
"""

LADDERS = {
    "qe": (
        {"name": "restart", "when": "walltime", "scope": "one", "set": {"restart_mode": "'restart'"}},
        {"name": "mixing", "when": "electrons", "scope": "one",
         "set": {"mixing_beta": "0.2", "electron_maxstep": "200"}},
        {"name": "diagonalisation", "when": "any", "scope": "one",
         "set": {"diagonalization": "'cg'", "mixing_mode": "'local-TF'"}},
        {"name": "smearing", "when": "electrons", "scope": "all", "set": {"degauss": "*1.5"}},
        {"name": "cutoff", "when": "any", "scope": "all", "set": {"ecutwfc": "*1.1", "ecutrho": "*1.1"}},
    ),
    "gpaw": (
        {"name": "mixing", "when": "electrons", "scope": "one", "set": {"mixing_beta": "0.02", "maxiter": "500"}},
        {"name": "diagonalisation", "when": "any", "scope": "one", "set": {"eigensolver": "rmm-diis"}},
        {"name": "smearing", "when": "electrons", "scope": "all", "set": {"smearing_ev": "*1.5"}},
        {"name": "cutoff", "when": "any", "scope": "all", "set": {"cutoff_ev": "*1.1"}},
    ),
    "vasp": (
        {"name": "restart", "when": "walltime", "scope": "one", "set": {"ISTART": "1"}},
        {"name": "mixing", "when": "electrons", "scope": "one", "set": {"ALGO": "Normal", "NELM": "200"}},
        {"name": "diagonalisation", "when": "electrons", "scope": "one", "set": {"ALGO": "All"}},
        {"name": "symmetry", "when": "any", "scope": "one", "set": {"ISYM": "0"}},
    ),
}  # fmt: skip
MOST = 5
WIDER = 1.5  # largest factor on the smearing: that of the error handlers


def rungs(engine: str, settings: dict) -> list[tuple[str, str, str, str, str]]:
    """Return the error handlers of an engine as rows (name, when, scope, setting, value), factors multiplied out.

    `settings`: the values that factors apply to; a setting with a factor that is not among them is left out.
    """
    made = []
    for rung in LADDERS[engine][:MOST]:
        for key, value in rung["set"].items():
            if value.startswith("*"):
                if settings.get(key) is None:
                    continue
                value = f"{float(settings[key]) * float(value[1:]):.6g}"
            made.append((rung["name"], rung["when"], rung["scope"], key, value))
    return made


def table(engine: str, settings: dict) -> str:
    """Return the error handlers of an engine as text lines for `run.sh`."""
    return "".join(" ".join(row) + "\n" for row in rungs(engine, settings))
