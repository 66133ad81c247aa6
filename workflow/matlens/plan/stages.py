"""STAGES: what every stage takes, gives and shows, in one literal table; all lists of files and tables follow from it.

A new stage is one entry here, a file of rules, a script, a package and a schema.
"""

from collections.abc import Callable

from matlens import registry
from matlens.plan.entries import MEASURE, STUDY, Output, Stage


def _trains(stage: str) -> Callable[[dict, str], bool]:
    return lambda study, method: not study[stage][method].get("weights")


def _reads_sites(study: dict, method: str) -> bool:
    if registry.method_of(method) in registry.table("matlens.nets:SITES"):
        return True
    return study["predict"][method].get("sites", False)


def _official(study: dict, method: str) -> bool:
    return study["predict"]["split"] == "official"


def _counts_hits(study: dict, method: str) -> bool:
    return study["predict"]["hits"] is not None


def _out_of_distribution(study: dict, method: str) -> bool:
    return study["predict"]["split"].startswith("ood:")


def _proposes(study: dict, method: str) -> bool:
    return study.get("propose", {}).get("method") == method


def _no_control(study: dict, method: str) -> bool:
    """A control that finds nothing has no series, by design."""
    return registry.method_of(method) not in registry.table("matlens.segment:CONTROLS")


def _has_objects(study: dict, method: str) -> bool:
    """The truth of the items tells objects apart: polygons, label images, or a model of objects."""
    from matlens import ingest

    return ingest.has_objects(registry.method_of(method), study["ingest"][method])


def _inverts(study: dict, method: str) -> bool:
    return study["generate"]["picks"] > 0


# Families of `predict` that are cross-validated.
LEARNED = ("tables", "images", "compositions", "molecules", "structures", "crystals", "blends")
ENGINES = ("here", "batches", "handoffs")
_TABLES = "results/{study}/tables/"
_PREDICT = {"by": LEARNED, "file": STUDY, "hint": "add a section 'predict'"}
_SHOWN = {"stacked": False, "single": True, "by": LEARNED, "file": STUDY}
_PICKS = "add 'vae' and 'picks: 3' to the section 'generate'"
_LOOP = {"file": STUDY, "hint": "add a section 'acquire'"}

# fmt: off
STAGES = {
    "ingest": Stage(
        "files, public data sets and models of microstructure to items with an index",
        families={
            "images": "matlens.ingest:METHODS",
            "crystals": "matlens.ingest:CRYSTALS",
            "compositions": "matlens.ingest:COMPOSITIONS",
            "molecules": "matlens.ingest:MOLECULES",
        },
        gives=(
            Output("plan", STUDY),
            Output("images", "{shard}.zarr.zip", by=("images",)),
            Output("truth", "{shard}.zarr.zip", by=("images",)),
            Output("truth_objects", by=("images",), when=_has_objects, collected=True, table="truth_objects",
                   drawn="truth_objects", single=True, hint="add 'objects' to the source of the items"),
            Output("structures", "{shard}.zarr.zip", by=("crystals",), drawn="structures"),
            Output("index", collected=True, table="items", stacked=False, drawn="index", single=True),
            Output("rejected", "plan.parquet"),
            Output("rejected"),
        ),
    ),
    "connect": Stage(
        "crystals to graphs of atoms and their neighbours",
        families={"methods": "matlens.connect:METHODS"},
        gives=(
            Output("graphs", "{shard}.zarr.zip"),
            Output("connections", collected=True, table="connections"),
            Output("rejected"),
        ),
        kinds=("crystals",),
        takes="structures",
    ),
    "restore": Stage(
        "images to images of the same axes, with less noise or blur, and how good they are",
        families={"methods": "matlens.restore:METHODS"},
        gives=(
            Output("images", "{shard}.zarr.zip"),
            Output("quality", collected=True, table="quality", drawn="quality", hint="add a section 'restore'"),
            Output("previews", "all.zip", drawn="previews", hint="add a section 'restore'"),
            Output("rejected"),
            Output("history", STUDY, by=("learners",), when=_trains("restore"), drawn="history"),
        ),
        kinds=("images",),
        takes="images",
        of=("ingest", "restore"),
        controls="matlens.restore:CONTROLS",
        answers="images",
    ),
    "segment": Stage(
        "images to labels: phase maps or region maps",
        families={"methods": "matlens.segment:METHODS"},
        gives=(
            Output("labels", "{shard}.zarr.zip"),
            Output("rejected"),
            Output("overlays", "all.zip", drawn="overlays", hint="add a section 'segment'"),
            Output("history", STUDY, by=("learners",), when=_trains("segment"), drawn="history"),
            Output("proposals", when=_proposes, table="proposals", stacked=False, path=_TABLES + "proposals.csv"),
        ),
        kinds=("images",),
        takes="images",
        of=("ingest", "restore"),
        controls="matlens.segment:CONTROLS",
        answers="truth",
    ),
    "detect": Stage(
        "images to detections: objects with place, size and score",
        families={"methods": "matlens.detect:METHODS"},
        gives=(
            Output("detections", collected=True, table="detections", drawn="detections", hint="add a section 'detect'"),
            Output("missed", collected=True, drawn="missed", hint="add a section 'detect'"),
            Output("detection_scores", collected=True, table="detection_scores", drawn="detection_scores",
                   hint="add a section 'detect'"),
            Output("ranked", collected=True),
            Output("detection_summary", STUDY, table="detection_summary", drawn="detection_summary",
                   hint="add a section 'detect'"),
            Output("precision_recall", STUDY, table="precision_recall", drawn="precision_recall",
                   hint="add a section 'detect'"),
            Output("pictures", "all.zip", drawn="pictures", hint="add a section 'detect'"),
            Output("history", STUDY, by=("learners",), when=_trains("detect"), drawn="history"),
            Output("rejected"),
        ),
        kinds=("images",),
        takes="images",
        of=("ingest", "restore", "segment"),
        controls="matlens.detect:CONTROLS",
        answers="truth",
    ),
    "track": Stage(
        "detections over time to tracks with births and deaths",
        families={"methods": "matlens.track:METHODS"},
        gives=(
            Output("tracks", STUDY, table="tracks", drawn="tracks", hint="add a section 'track'"),
            Output("track_scores", STUDY, table="track_scores", drawn="track_scores", hint="add a section 'track'"),
            Output("lifetimes", STUDY, table="lifetimes", drawn="lifetimes", hint="add a section 'track'"),
            Output("motion", STUDY, table="motion", drawn="motion", hint="add a section 'track'"),
            Output("paths", STUDY, table="paths", drawn="paths", hint="add a section 'track'"),
            Output("kinetics", STUDY, table="kinetics", drawn="kinetics", hint="add a section 'track'"),
            Output("frames", "all.zip", drawn="track_frames", hint="add a section 'track'"),
            Output("rejected", STUDY),
        ),
        kinds=("images",),
        takes="detections",
        of=("detect",),
        controls="matlens.track:CONTROLS",
    ),
    "quantify": Stage(
        "labels to tables of measures",
        families={"measures": "matlens.quantify:METHODS", "series": "matlens.quantify:SERIES"},
        gives=(
            Output(MEASURE, by=("measures",), collected=True, table=MEASURE, drawn=MEASURE),
            Output(MEASURE, STUDY, by=("series",), table=MEASURE, drawn=MEASURE),
            Output("rejected_{measure}", by=("measures",)),
            Output("rejected_{measure}", STUDY, by=("series",), when=_no_control),
        ),
        kinds=("images",),
        takes="labels",
        of=("segment",),
        measures=True,
    ),
    "fields": Stage(
        "labels to fields of strain and stress, or gradient and flux, and effective properties",
        families={"methods": "matlens.fields:METHODS"},
        gives=(
            Output("fields", "{shard}.zarr.zip"),
            Output("fields", "{shard}.zarr.zip", by=("solvers",), drawn="fields", hint="add a section 'fields'"),
            Output("fields", "{shard}.zarr.zip", by=("learners",), drawn="predicted_fields", each=True,
                   hint="add a network, such as 'unet', to the section 'fields'"),
            Output("effective", collected=True, table="effective", drawn="effective", hint="add a section 'fields'"),
            Output("field_quality", collected=True, table="field_quality", drawn="field_quality",
                   hint="add a section 'fields'"),
            Output("hot_spots", collected=True, table="hot_spots", drawn="hot_spots", hint="add a section 'fields'"),
            Output("field_scores", STUDY, table="field_scores", drawn="field_scores", hint="add a section 'fields'"),
            Output("history", STUDY, by=("learners",), when=_trains("fields"), drawn="history"),
            Output("costs", path="results/{study}/timings/fields.csv", target=True),
            Output("rejected"),
        ),
        kinds=("images",),
        takes="labels",
        of=("segment",),
        controls="matlens.fields:CONTROLS",
        answers="fields",
    ),
    "generate": Stage(
        "conditions to images with labels, judged beside real images", {"methods": "matlens.generate:METHODS"},
        gives=(
            Output("images", "all.zarr.zip"), Output("truth", "all.zarr.zip"),
            Output("generated", STUDY, table="generated", drawn="generated", hint="add a section 'generate'"),
            Output("generation_quality", STUDY, table="generation_quality", drawn="generation_quality",
                   hint="add a section 'generate'"),
            Output("history", STUDY, by=("learners",), when=_trains("generate"), drawn="history"),
            Output("samples", "all.zip", drawn="samples", hint="add a section 'generate'"), Output("rejected", STUDY),
            Output("latent", STUDY, by=("coders",), when=_inverts, table="latent", drawn="latent", hint=_PICKS),
            Output("picked", STUDY, by=("coders",), when=_inverts, table="picked", drawn="picked", hint=_PICKS),
            Output("inverse", STUDY, by=("coders",), when=_inverts, table="inverse", drawn="inverse", hint=_PICKS),
        ),
        kinds=("images",), takes="labels", of=("segment",), controls="matlens.generate:CONTROLS", answers="images",
    ),
    "predict": Stage(
        "measures, images, compositions or graphs to properties with error bars",
        families={
            "tables": "matlens.predict:METHODS",
            "images": "matlens.predict:IMAGE_METHODS",
            "compositions": "matlens.predict:COMPOSITION_METHODS",
            "molecules": "matlens.predict:MOLECULE_METHODS",
            "structures": "matlens.predict:STRUCTURE_METHODS",
            "crystals": "matlens.predict:CRYSTAL_METHODS",
            "blends": "matlens.predict:BLENDS",
            "pretrained": "matlens.predict:PRETRAINED",
            "potentials": "matlens.predict:POTENTIAL_METHODS",
        },
        gives=(
            Output("predictions", table="predictions", drawn="predictions", **_PREDICT),
            Output("errors", table="errors", drawn="errors", **_PREDICT),
            Output("importance", table="importance", drawn="importance", **_PREDICT),
            Output("learning_curve", table="learning_curve", drawn="learning_curve", **_PREDICT),
            Output("held_out", STUDY, by=LEARNED),
            Output("blend_weights", STUDY, by=("blends",), table="blend_weights"),
            Output("history", STUDY, by=("crystals", "molecules"), drawn="history",
                   hint="train a network in the section 'segment' or 'predict'"),
            Output("benchmark", when=_official, table="benchmark", drawn="benchmark", path=_TABLES + "benchmark.csv",
                   hint="set 'predict.split: official'", **_SHOWN),
            Output("paired", when=_official, table="paired", drawn="paired", path=_TABLES + "paired.csv", **_SHOWN),
            Output("ood", when=_out_of_distribution, table="ood", drawn="ood", path=_TABLES + "ood.csv",
                   hint="set 'predict.split: ood:LOCO' or another of those", **_SHOWN),
            Output("hits", when=_counts_hits, table="hits", drawn="hits", path=_TABLES + "hits.csv",
                   hint="set 'predict.hits'", **_SHOWN),
            Output("record", "all.json", by=LEARNED, when=_official, target=True),
            Output("properties", by=("pretrained",), collected=True, table="properties", drawn="properties"),
            Output("properties", STUDY, by=("potentials",), table="properties", drawn="properties",
                   hint="add 'pretrained' or a potential such as 'chgnet' to the section 'predict'"),
            Output("sites", by=("pretrained",), when=_reads_sites, collected=True, table="sites", drawn="sites"),
            Output("sites", STUDY, by=("crystals",), when=_reads_sites, table="sites", drawn="sites",
                   hint="predict with a network that says what it reads from atoms: {sites}; "
                   "or set 'pretrained.sites: true'"),
            Output("structures", "{shard}.zarr.zip", by=("potentials",)),
            Output("rejected", STUDY, by=("tables", "images", "structures", "blends")),
            Output("rejected", by=("pretrained", "potentials")),
            Output("rejected", STUDY, by=("potentials",)),
        ),
        takes="images",
        of=("ingest", "restore"),
        able=("images",),
        controls="matlens.predict:CONTROLS",
    ),
    "fit": Stage(
        "energies of ordered alloys to thermodynamic databases", {"methods": "matlens.fit:METHODS"},
        gives=(
            Output("database", "all.tdb", target=True),
            Output("samples", "all.json"),
            Output("fitted_cells", STUDY, table="fitted_cells", drawn="fitted_cells", hint="add a section 'fit'"),
            Output("transitions", STUDY, table="transitions", drawn="transitions", hint="add a section 'fit'"),
        ),
    ),
    "screen": Stage(
        "predicted properties to a shortlist with reasons",
        families={"methods": "matlens.screen:METHODS"},
        gives=(
            Output("shortlist", STUDY, table="shortlist", drawn="shortlist", hint="add a section 'screen'"),
            Output("excluded", STUDY, table="excluded", drawn="excluded", hint="add a section 'screen'"),
            Output("screened", STUDY, drawn="screened", hint="add a section 'screen'"),
        ),
        controls="matlens.screen:CONTROLS",
    ),
    "validate": Stage(
        "candidates to verdicts of physics: potentials, DFT, CALPHAD",
        families={
            "here": "matlens.validate:METHODS",
            "batches": "matlens.validate:BATCHES",
            "handoffs": "matlens.validate:HANDOFFS",
            "comparisons": "matlens.validate:COMPARISONS",
            "diagrams": "matlens.validate:DIAGRAMS",
        },
        gives=(
            Output("verdicts", STUDY, by=ENGINES, table="verdicts", stacked=False, drawn="verdicts",
                   hint="add a section 'validate' with an engine"),
            Output("timings", STUDY, by=ENGINES, path="results/{study}/timings/verdicts.csv", target=True),
            Output("equilibria", STUDY, by=("batches",), table="equilibria", stacked=False, drawn="equilibria",
                   hint="add 'calphad' to the section 'validate'"),
            Output("diagram", STUDY, by=("diagrams",), folder="calphad", drawn="diagram",
                   hint="add 'diagram' to the section 'validate'"),
            Output("diagram_band", STUDY, by=("diagrams",), folder="calphad", drawn="diagram_band",
                   table="diagram_band", hint="add 'diagram' to the section 'validate'"),
            Output("bridge", STUDY, by=("comparisons",), table="bridge", stacked=False, drawn="bridge", single=True,
                   hint="add 'bridge' to the section 'validate'"),
            Output("equilibria", STUDY, by=("comparisons",), drawn="expected", single=True,
                   hint="add 'bridge' to the section 'validate'"),
        ),
    ),
    "acquire": Stage(
        "verdicts so far to the next candidates, round by round",
        families={"methods": "matlens.acquire:METHODS"},
        gives=(
            Output("candidates", "{round}.parquet", target=True),
            Output("verdicts", "{round}.parquet", target=True),
            Output("rounds", table="rounds", drawn="rounds", **_LOOP),
            Output("asked", table="asked", drawn="asked", **_LOOP),
            Output("transfer", table="transfer", drawn="transfer", **_LOOP),
        ),
        controls="matlens.acquire:CONTROLS",
    ),
}
# fmt: on
# Families within a family: a method of the first table that is in the second, too.
WITHIN = {(name, "learners"): f"matlens.{name}:LEARNERS" for name, stage in STAGES.items() if stage.answers}
WITHIN["generate", "coders"] = "matlens.generate:CODERS"
WITHIN["fields", "solvers"] = "matlens.fields:SOLVERS"
