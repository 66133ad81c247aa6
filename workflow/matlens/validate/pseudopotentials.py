"""Pseudopotentials from a folder of UPF files, and the plane-wave cut-offs that are recommended for them."""

import re
import sys
import zipfile
from functools import cache
from pathlib import Path

from matlens.job.batch import BadItem
from matlens.store import catalog, io, yaml_files
from matlens.validate.handoff import shared

TUTORIAL = Path("/usr/share/espresso/pseudo")  # comes with Debian's Quantum ESPRESSO; for trying, not for results
TABLES = "dft_references"
DOJO, SSSP = "pseudodojo_v0.4_pbe_standard_hints.json", "sssp_1.3.0_pbe_efficiency.yaml"
PSEUDODOJO = "PseudoDojo/0.4/PBE/SR/standard/upf"
# Taken from SG15 1.2 instead. The Cu of PseudoDojo 0.4 (standard and stringent) gives 12.19 A^3, 152 GPa and B' 2.9 by
# pw.x 6.7 at 92 Ry as at 120 Ry, at any mesh; SG15 gives 11.98 A^3 and 138.5 GPa (all electrons: 11.95 and 140).
REPLACED = {"Cu": "SG15/1.2/PBE/SR/Cu_ONCV_PBE-1.2.upf"}
NO_CUTOFF = 1.0  # Ry; a header that suggests less than this suggests nothing
_FUNCTIONALS = {
    "pbe": ("pbe", "sla pw pbx pbc", "sla pw pbe pbe"),
    "pbesol": ("pbesol", "sla pw psx psc"),
    "lda": ("pz", "lda", "sla pz nogx nogc"),
}


@cache
def header(path: Path) -> dict[str, str]:
    """Read the attributes of the header of a UPF file; {} where it is of the old kind without them."""
    text = path.read_text(encoding="latin-1")
    found = re.search(r"<PP_HEADER\b(.*?)/?>", text, re.DOTALL)
    about = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', found[1])) if found else {}
    if not about:  # version 1: values, and after them what they are
        lines = (text.split("<PP_HEADER>", 1) + [""])[1].split("</PP_HEADER>")[0].splitlines()
        for line in lines:
            words = line.split()
            if "Exchange-Correlation" in line:
                about["functional"] = " ".join(words[: words.index("PBE")] if "PBE" in words else words[:4])
            if line.rstrip().endswith("Element"):
                about["element"] = words[0]
    return about


@cache
def _offered(folder: Path) -> dict[str, tuple[Path, ...]]:
    """List the UPF files of a folder, or of folders named upf in it, by the element that their names begin with."""
    found = {}
    for path in sorted(folder.iterdir()):
        match = re.match(r"([A-Za-z]{1,2})(?![A-Za-z])", path.name)
        if match and path.suffix.lower() == ".upf":
            found.setdefault(match[1].capitalize(), []).append(path)
    return {symbol: tuple(paths) for symbol, paths in found.items()}


def same_functional(name: str, functional: str) -> bool:
    """Return whether the functional named in a file or an output is the requested one."""
    about = " ".join(name.lower().replace("-", " ").replace("+", " ").split())
    return about in _FUNCTIONALS.get(functional.lower(), (functional.lower(),))


def find(folder: Path, symbol: str, functional: str, chosen: dict[str, str]) -> Path:
    """Find the file of an element, of a functional; `chosen` names files of elements that have several."""
    if not folder.is_dir():
        raise BadItem(f"no folder of pseudopotentials '{folder}'; set 'pseudopotentials' to one with UPF files")
    if symbol in chosen:
        if not (folder / chosen[symbol]).is_file():
            raise BadItem(f"'{chosen[symbol]}' for {symbol} is not in {folder}; correct 'files'")
        return folder / chosen[symbol]
    offered = _offered(folder).get(symbol, ())
    fitting = [path for path in offered if same_functional(header(path).get("functional", ""), functional)]
    plain = [path for path in fitting if header(path).get("has_so", "F").lower()[:1] not in ("t", ".t")]
    fitting = plain or fitting
    if not fitting:
        other = f"; those for other functionals: {', '.join(path.name for path in offered)}" if offered else ""
        raise BadItem(
            f"no pseudopotential of {symbol} for {functional} in {folder}{other}; add one, or name it in 'files'"
        )
    if len(fitting) > 1:
        names = ", ".join(path.name for path in fitting)
        raise BadItem(f"several pseudopotentials of {symbol} in {folder}: {names}; name one in 'files'")
    return fitting[0]


@cache
def _table(name: str, hints: str) -> dict[str, dict]:
    """Read a table of cut-offs, in Ry; {} where it is not on this machine and was not asked for by name."""
    try:
        if name == "pseudodojo":
            table = io.read_json(catalog.find(TABLES, DOJO))["hints"]
            return {symbol: {"wave_ry": 2 * float(one["normal"])} for symbol, one in table.items()}
        table = yaml_files.read_yaml(catalog.find(TABLES, SSSP))[0]["pseudopotentials"]
    except (OSError, ValueError) as error:
        if hints == "auto":
            return {}
        raise BadItem(f"the cut-offs of '{hints}' cannot be read: {error}") from error
    return {
        symbol: {"wave_ry": float(one["cutoff_wfc"]), "density_ry": float(one["cutoff_rho"]), "md5": one["md5"]}
        for symbol, one in table.items()
    }


def cutoff(symbol: str, path: Path, hints: str) -> dict:
    """Return the recommended cut-offs of a file: wave_ry, density_ry (each if known), and their source `by`.

    `hints`: "sssp" or "pseudodojo" (tables of the catalogue), "file" for what the header of the file suggests, "none",
    or "auto": SSSP where it is the very file, PseudoDojo for what its generator (ONCVPSP) made, else the header.
    """
    if hints == "none":
        return {"by": "nobody"}
    if hints in ("sssp", "auto"):
        found = _table("sssp", hints).get(symbol, {})
        same = found.get("md5") == shared(path).md5
        if same:
            return {"by": "SSSP 1.3.0", "wave_ry": found["wave_ry"], "density_ry": found["density_ry"]}
        if hints == "sssp":
            raise BadItem(f"{path.name} is not the file of {symbol} in SSSP 1.3.0; get it, or set 'hints' to file")
    if hints == "pseudodojo" or (hints == "auto" and b"ONCVPSP" in shared(path).data):
        found = _table("pseudodojo", hints).get(symbol)
        if found:
            return {"by": "PseudoDojo 0.4", **found}
        if hints == "pseudodojo":
            raise BadItem(f"PseudoDojo has no cut-off for {symbol}; set 'hints' to file, and a cut-off")
    about = header(path)
    wave, density = (float(re.sub("[dD]", "e", about.get(key, "0"))) for key in ("wfc_cutoff", "rho_cutoff"))
    if wave <= NO_CUTOFF:
        return {"by": "nobody"}
    return {"by": "its file", "wave_ry": wave, **({"density_ry": density} if density > wave else {})}


def source(folder: str | None) -> Path:
    """Name the folder to take pseudopotentials from: that of the study, else the tutorial ones of the system."""
    return Path(folder).expanduser() if folder else TUTORIAL


def unpack(archive: Path, folder: Path) -> int:
    """Write the UPF files of PseudoDojo 0.4 (PBE, scalar relativistic, standard) in an archive to a folder.

    Those of REPLACED come from SG15. Returns the number of files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as files:
        every = files.namelist()
        other = {symbol: [name for name in every if name.endswith(path)] for symbol, path in REPLACED.items()}
        members = [name for name in every if re.search(rf"{PSEUDODOJO}/[A-Z][a-z]?\.upf$", name)]
        members = [name for name in members if not other.get(Path(name).stem)]
        members += [name for names in other.values() for name in names]
        for symbol in (one for one, names in other.items() if names):
            (folder / f"{symbol}.upf").unlink(missing_ok=True)  # of an earlier version
        for name in members:
            (folder / Path(name).name).write_bytes(files.read(name))
    return len(members)


if __name__ == "__main__":
    print(f"{unpack(Path(sys.argv[1]), Path(sys.argv[2]))} pseudopotentials in {sys.argv[2]}")
