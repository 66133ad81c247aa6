"""Formats of crystals that are not read, by their first lines, so that a reason can name them."""

import re

NAMES = (  # pattern of the beginning, name
    (r"<\?xml[^>]*>\s*(<!--.*?-->\s*)*<modeling", "a vasprun.xml of VASP"),
    (r"<\?xml[^>]*>\s*(<!--.*?-->\s*)*<(\w+:)?espresso", "an XML file of Quantum ESPRESSO"),
    (r"<\?xml[^>]*>\s*(<!--.*?-->\s*)*<cml", "a CML file"),
    (r"(?:(?:HEADER|TITLE|REMARK|COMPND|AUTHOR|MODEL).*\n)*(?:CRYST1|ATOM  |HETATM)", "a PDB file"),
    (r"TITL\b.*\n(.*\n){0,3}CELL\s", "a SHELX file (.ins, .res)"),
    (r"(#.*\n|\s)*(CRYSTAL|SLAB|POLYMER|MOLECULE|DIM-GROUP|ANIMSTEPS)\b(.*\n)*?\s*(PRIMVEC|CONVVEC|ATOMS|PRIMCOORD)",
     "an XSF file"),
    (r"(!.*\n|\s)*&(?i:control|system|inputph)\b", "an input of Quantum ESPRESSO"),
    (r"\s*Program PWSCF", "an output of Quantum ESPRESSO"),
    (r"#VESTA_FORMAT_VERSION", "a VESTA file"),
    (r"\s*vasp\.\d", "an OUTCAR of VASP"),
    (r"\s*(?:PAW|US|NC)(?:_PBE|_GGA)?(?:_GW)? [A-Z][a-z]?[_ ]", "a POTCAR of VASP"),
    (r"(#.*\n|\s)*[A-Z]{3,}\s*=\s*\S+.*\n(?:.*\n)*?\s*(?:ENCUT|ISMEAR|PREC|IBRION|NSW)\s*=", "an INCAR of VASP"),
    (r"\s*\d+ [FSC]\s*\n\s*[A-Z][a-z]?(?:\s+[A-Z][a-z]?)*\s*\n\s*1\s+1\s", "a geometry of DFTB+"),
    (r".*\n[PFBHRC]\w*\s+LATTICE,NONEQUIV", "a struct file of WIEN2k"),
    (r"(#.*\n|\s)*%(?i:block)\s+(?i:lattice|positions)", "a CASTEP cell file"),
    (r"(#.*\n|\s)*lattice_vector\s", "a geometry of FHI-aims"),
    (r"COMM\b.*\n(!|NPATT)", "an input of FullProf"),
    (r".*\n\s*\n\s*\d+\s+atoms\b", "a data file of LAMMPS"),
    (r"ITEM:\s*TIMESTEP", "a dump of LAMMPS"),
    (r".*\n.*\n.*\n\s*\d+\s+\d+.*V[23]000", "a MOL or SDF file of a molecule"),
    (r"@<TRIPOS>MOLECULE", "a MOL2 file of a molecule"),
    (r"\x28\xb5\x2f\xfd|\(\ufffd/\ufffd", "packed by zstd"),
    (r"\ufffdHDF", "an HDF5 file"),
    (r"PAR1", "a Parquet table"),
    (r"\ufffd[\x02-\x05]\ufffd?", "a pickle"),
)  # fmt: skip


def named(text: str) -> str | None:
    """Return the name of the format that a text begins as; None if it is none of NAMES."""
    return next((name for pattern, name in NAMES if re.match(pattern, text[:4000])), None)
