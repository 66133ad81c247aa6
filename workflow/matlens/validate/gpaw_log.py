"""Compare the log of GPAW with the result beside it: what ran is what the result says."""

import re

PLAIN = {  # input parameters that the script sets; the log may name no other
    "convergence", "eigensolver", "kpts", "maxiter", "mode", "occupations", "spinpol", "xc", "mixer", "txt",
}  # fmt: skip
SAME_EV = 2e-6
BLOCK = re.compile(r"^Input parameters:\n((?:  .*\n)*)", re.MULTILINE)


def parameters(log: str) -> dict[str, str] | None:
    """Read the input parameters that a log lists, as texts by name; None if it lists none."""
    block = BLOCK.search(log)
    if not block:
        return None
    parts = re.split(r"^  (\w+):", block[1].replace("'", "").replace('"', ""), flags=re.MULTILINE)[1:]
    return {name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _number(text: str, name: str) -> float | None:
    found = re.search(rf"\b{name}: ([-\d.eE+]+)", text)
    return float(found[1]) if found else None


def _parameters(named: dict[str, str], found: dict, asked: dict) -> list[str]:
    """List the parameters of a log that are not those of the result, or were not asked for."""
    said, used = [], found["settings"]
    said += [f"the log names an input parameter that was not asked for: {one}" for one in sorted(set(named) - PLAIN)]
    mode = named.get("mode", "fd")
    if not re.search(r"\bpw\b", mode):
        said.append(f"the log names the mode {mode}, not plane waves")
    elif _number(mode, "ecut") not in (None, used["cutoff_ev"]):
        said.append(f"the log names the cut-off {_number(mode, 'ecut'):g} eV, the result {used['cutoff_ev']:g} eV")
    functional = named.get("xc", "LDA")
    if functional.split()[0] != asked["functional"]:
        said.append(f"the log names the functional {functional}, not {asked['functional']}")
    smearing = named.get("occupations", "")
    kind = re.search(r"name: ([\w-]+)", smearing)
    if kind and kind[1] != "fermi-dirac":
        said.append(f"the log names the smearing {kind[1]}, not fermi-dirac")
    if re.search(r"fixmagmom: True", smearing):
        said.append("the log names a fixed moment, which was not asked for")
    for text, name, value in (
        (smearing, "width", used["smearing_ev"]),
        (named.get("convergence", ""), "energy", used["threshold_ev"]),
        (named.get("convergence", ""), "density", used["density_threshold"]),
    ):
        own = _number(text, name)
        if own is not None and abs(own - value) > 1e-6 * abs(value):
            said.append(f"the log names {name} {own:g}, the result {value:g}")
    return said + _points(named.get("kpts", ""), found)


def _points(text: str, found: dict) -> list[str]:
    """List how the k points of a log differ from those of the result."""
    said, size = [], re.search(r"size: [\[(]([\d, ]+)[\])]", text)
    if size and [int(one) for one in size[1].split(",") if one.strip()] != list(found["k_points"]):
        said.append(f"the log names the k points [{size[1]}], the result {found['k_points']}")
    if "gamma: False" in text or re.search(r"shift|offset", text):
        said.append("the log names another offset of the mesh of k points")
    return said


def _run(log: str, found: dict) -> list[str]:
    """List what the log says of the run itself and the result does not: data sets, charge, spin."""
    said = []
    ids = dict(re.findall(r"^  (\w+):\n    name: .*\n    id: (\w+)", log, re.MULTILINE))
    other = sorted(one for one, mark in ids.items() if found["setups"].get(one, mark) != mark)
    if other:
        said.append(f"the log names other data sets than the result: {', '.join(other)}")
    charge = re.search(r"^ *Total Charge: (\S+)", log, re.MULTILINE)
    if charge and abs(float(charge[1])) > 1e-6:
        said.append(f"the log names the total charge {charge[1]}, which was not asked for")
    spin = {"Spin-paired calculation": False, "Spin-polarized calculation": True}
    if any(text in log and found["settings"]["spin"] is not on for text, on in spin.items()):
        said.append("the log names another treatment of spin than the result")
    return said


def _energy(log: str, found: dict) -> list[str]:
    """Compare the energy of a result, which is that at zero width, with those in its log."""
    energies = re.findall(r"^Extrapolated:\s+(\S+)", log, re.MULTILINE)
    if not energies:
        return ["its log is cut off"]
    if not abs(float(energies[-1]) - found["energy_ev"]) <= SAME_EV:
        return [f"result and log disagree: {found['energy_ev']:.6f} eV and {energies[-1]} eV"]
    free = re.findall(r"^Free energy:\s+(\S+)", log, re.MULTILINE)
    entropy = re.findall(r"^Entropy \(-ST\):\s+(\S+)", log, re.MULTILINE)
    if free and entropy and abs(float(free[-1]) - float(entropy[-1]) / 2 - found["energy_ev"]) > 2 * SAME_EV:
        return ["its energy is not that at zero width by its free energy and entropy"]
    return []


def problems(log: str, found: dict, asked: dict) -> list[str]:
    """List the reasons why a log and a result contradict each other or what was asked; [] if there is none."""
    named = parameters(log)
    said = _parameters(named, found, asked) if named is not None else []
    return said + _run(log, found) + _energy(log, found)
