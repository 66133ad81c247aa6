"""What a study used and has to cite: its methods, the programs behind them, and public data."""

from matlens import registry
from matlens.plan import outputs, stages
from matlens.registry import method_of
from matlens.store import catalog

# Tables of networks and potentials, whose docstrings have the references of the methods of their name.
BEHIND = (
    "matlens.nets:NETS", "matlens.nets:OBJECT_NETS", "matlens.nets:FIELD_NETS", "matlens.nets:IMAGE_NETS",
    "matlens.nets:GENERATORS",
)  # fmt: skip
PYCALPHAD = "R. Otis, Z.-K. Liu, J. Open Res. Softw. 5 (2017) 1 (pycalphad)"
PROGRAMS = {  # by the name of the method that runs them, or reads their results
    "chgnet": "B. Deng et al., Nat. Mach. Intell. 5 (2023) 1031 (CHGNet)",
    "gpaw": "J. J. Mortensen et al., J. Chem. Phys. 160 (2024) 092503 (GPAW)",
    "qe": "P. Giannozzi et al., J. Phys.: Condens. Matter 29 (2017) 465901 (Quantum ESPRESSO)",
    "vasp": "G. Kresse, J. Furthmüller, Phys. Rev. B 54 (1996) 11169 (VASP)",
    "thermocalc": "J.-O. Andersson et al., Calphad 26 (2002) 273 (Thermo-Calc)",
    "opencalphad": "B. Sundman et al., Integr. Mater. Manuf. Innov. 4 (2015) 1 (OpenCalphad)",
    **dict.fromkeys(("calphad", "diagram", "bridge"), PYCALPHAD),
}


def used(settings: dict) -> dict[str, list[str]]:
    """Return the methods of a study by stage, without sources of items and controls."""
    named = {
        stage: [name for name in outputs.methods(settings, stage) if method_of(name) not in outputs.controls(stage)]
        for stage in stages.STAGES
        if stage != "ingest"
    }
    return {stage: names for stage, names in named.items() if names}


def entries(settings: dict) -> dict[str, list[str]]:
    """Return the entries behind every method of a study, "module:function", that of its network included."""
    found = {}
    for stage, names in used(settings).items():
        tables = [registry.table(table) for table in (*stages.STAGES[stage].families.values(), *BEHIND)]
        for name in dict.fromkeys(map(method_of, names)):
            found[f"{stage}.{name}"] = list(dict.fromkeys(table[name] for table in tables if name in table))
    return found


def programs(settings: dict) -> list[dict]:
    """List the references of the programs that a study runs or reads."""
    oracle = (settings.get("acquire") or {}).get("oracle")
    names = [method_of(name) for methods in used(settings).values() for name in methods] + ([oracle] if oracle else [])
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name in PROGRAMS:
            found.setdefault(PROGRAMS[name], []).append(name)
    return [{"names": names, "text": text} for text, names in found.items()]


def data_sets(settings: dict) -> list[dict]:
    """List the public data sets that a study names, with their citation or source, and licence."""
    known = catalog.entries()
    return [
        {"names": [name], "text": f"{known[name].get('citation') or known[name]['source']}; {known[name]['licence']}"}
        for name in sorted(catalog.named_in(settings))
    ]
