"""matlens: from micrographs and crystal structures to validated property predictions and figures.

STAGES and CELLARS are the map of the library. A package imports only packages that are listed before it: the shared
ones up to `report`, then the stages, none of which imports another, then `plan` and `cli`.
"""

__version__ = "0.2.0"

CELLARS = ("meanings", "store", "job", "crystal", "molecule", "thermo", "image", "nets", "learn", "report")
STAGES = (
    "ingest",
    "connect",
    "restore",
    "segment",
    "detect",
    "track",
    "quantify",
    "fields",
    "generate",
    "predict",
    "fit",
    "screen",
    "validate",
    "acquire",
)
TOP = ("plan", "cli")
