import os

from snakemake.exceptions import WorkflowError

# The library is found by every job through the environment; the Snakefile itself imports only its light rooms.
sys.path.insert(0, "workflow")
os.environ.update(PYTHONPATH="workflow", PYTHONHASHSEED="0")
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from figures import DRAWS, FIGURES
from matlens import (
    acquire,
    connect,
    ingest,
    predict,
    quantify,
    registry,
    screen,
    segment,
    validate,
)  # noqa: E402
from matlens.plan import closure as sources
from matlens.plan import resources as budget
from matlens.plan import scheduler as calm
from matlens.plan import study
from matlens.store import catalog
from matlens.store import yaml_files as documents
from matlens.nets import SITES


wildcard_constraints:
    study="[a-z0-9_]+",
    stage="[a-z]+",
    method="[a-z0-9_]+",
    artefact="[a-z0-9_]+",
    shard=r"\d{4}",


# What a measure over a series takes: its merged tables, besides the index and the names of the phases.
NEEDS = {
    measure: [
        name
        for name in registry.inputs_of(registry.load(quantify.SERIES, measure))
        if name in quantify.METHODS
    ]
    for measure in quantify.SERIES
}

try:
    STUDIES = study.load_all(config.get("studies"), "config/studies")
    study.check_needs(STUDIES, "quantify", NEEDS)
except study.StudyError as error:
    raise WorkflowError(f"nothing was started; mend this first:\n{error}") from None


def stop(name, key, why):
    """End the run with the line of the study and the key that are to be mended, and how."""
    place = documents.place(f"config/studies/{name}.yaml", key)
    raise WorkflowError(
        f"nothing was started; mend this first:\n{place}: {key}: {why}"
    ) from None


def shards(name):
    """List the shards of a study."""
    return [f"{number:04d}" for number in range(STUDIES[name]["ingest"]["shards"])]


def source(name):
    """Name the folder of the ingested items of a study."""
    return f"results/{name}/ingest/{study.ingest_method(STUDIES[name])}"


def options(stage, key="method"):
    """Give the options of its method, from its study."""
    return lambda wildcards: STUDIES[wildcards.study][stage][wildcards[key]]


def phases(wildcards):
    """Give the names of the phases of its study."""
    return STUDIES[wildcards.study]["phases"]


def code(door, table=None, key="method"):
    """Name the library files behind a door and its method, so that a changed formula reruns its users and only those."""
    door = f"scripts/{door}.py"
    if table is None:
        return sources.closure(door)
    return lambda wildcards: sources.closure(door, table[wildcards[key]])


def items(wildcards, whole=False):
    """Count the items that a job works on, of its shard or of the whole study; 1 before they have been listed."""
    if "study" not in wildcards.keys():
        return 1
    plan = f"{source(wildcards.study)}/plan/all.parquet"
    if not os.path.exists(plan):
        return 1
    parts = STUDIES[wildcards.study]["ingest"]["shards"]
    sharded = "shard" in wildcards.keys() and not whole
    total = budget.rows(plan, os.path.getmtime(plan))
    return budget.items_of(total, parts if sharded else None)


def memory(base, per_item=0, whole=False):
    """Ask for so many megabytes, and so many more for each item: of the shard, or where that means a fold of the whole."""
    return lambda wildcards, attempt: budget.memory_mb(
        base, per_item, items(wildcards, whole), attempt
    )


def minutes(base, per_item=0, whole=False):
    """Ask for so many minutes, and so many more for each item, as `memory` does."""
    return lambda wildcards, attempt: budget.minutes(
        base, per_item, items(wildcards, whole), attempt
    )


def gpus(stage, networks):
    """Ask for a GPU where the method is a network, and its study does not say that the CPU shall do; else for nothing."""

    def asked(wildcards):
        device = options(stage)(wildcards).get("device")
        return 1 if wildcards.method in networks and device != "cpu" else None

    return asked


def measures(name, table):
    """List the measures of a study that a table of measures holds."""
    return [measure for measure in STUDIES[name]["quantify"] if measure in table]


def predicts(name):
    """List the prediction methods of a study."""
    return [
        method
        for method in STUDIES[name].get("predict", {})
        if method
        in {
            **predict.METHODS,
            **predict.IMAGE_METHODS,
            **predict.COMPOSITION_METHODS,
            **predict.CRYSTAL_METHODS,
        }
    ]


def compared(name):
    """List the tables that put the predictions of a study beside published ones."""
    split = STUDIES[name]["predict"]["split"] if predicts(name) else ""
    if split == "official":
        return ["benchmark", "paired"]
    return ["ood"] if split.startswith("ood:") else []


def records(name):
    """List the predictions of a study on official folds in Matbench's own format."""
    if "benchmark" not in compared(name):
        return []
    return [
        f"results/{name}/predict/{method}/record/all.json" for method in predicts(name)
    ]


def foretells(name):
    """List the methods of a study that predict properties by models that are ready."""
    return [
        method
        for method in STUDIES[name].get("predict", {})
        if method in predict.PROPERTY_METHODS
    ]


def atomic(name):
    """List the methods of a study that say what they read from every atom."""
    settings = STUDIES[name].get("predict", {})
    asked = settings.get("pretrained", {}).get("sites", False)
    return [
        method
        for method in settings
        if method in SITES or (method == "pretrained" and asked)
    ]


def screens(name):
    """List the methods of a study that make a shortlist."""
    return [
        method for method in STUDIES[name].get("screen", {}) if method in screen.METHODS
    ]


def engines(name):
    """List the engines that judge the candidates of a study."""
    return [
        method
        for method in STUDIES[name].get("validate", {})
        if method in {**validate.METHODS, **validate.BATCHES, **validate.HANDOFFS}
    ]


def acquires(name):
    """List the methods of a study that choose candidates."""
    return [
        method
        for method in STUDIES[name].get("acquire", {})
        if method in acquire.METHODS
    ]


def methods(name, table):
    """List the methods of a study that make a table."""
    if table in acquire.ARTEFACTS:
        return acquires(name)
    if table in predict.ARTEFACTS:
        return predicts(name)
    if table in screen.ARTEFACTS:
        return screens(name)
    if table == "properties":
        return foretells(name)
    if table == "sites":
        return atomic(name)
    return list(STUDIES[name]["connect" if table == "connections" else "segment"])


def stacked(wildcards):
    """List the merged tables behind one that people open: the same artefact of every method."""
    stages = {
        "connections": "connect",
        **dict.fromkeys(predict.ARTEFACTS, "predict"),
        **dict.fromkeys(acquire.ARTEFACTS, "acquire"),
        **dict.fromkeys(screen.ARTEFACTS, "screen"),
        "properties": "predict",
        "sites": "predict",
    }
    stage = stages.get(wildcards.table, "quantify")
    folders = expand(
        "results/{study}/{stage}/{{method}}/{table}/all.parquet",
        stage=stage,
        **wildcards,
    )
    return expand(folders, method=methods(wildcards.study, wildcards.table))


def rejected(wildcards):
    """List every `rejected` table of a study."""
    name, parts = wildcards.study, shards(wildcards.study)
    labelled = STUDIES[name]["segment"]
    return [
        f"{source(name)}/rejected/plan.parquet",
        *expand(f"{source(name)}/rejected/{{shard}}.parquet", shard=parts),
        *expand(
            f"results/{name}/segment/{{method}}/rejected/{{shard}}.parquet",
            method=labelled,
            shard=parts,
        ),
        *expand(
            f"results/{name}/quantify/{{method}}/rejected_{{measure}}/{{shard}}.parquet",
            method=labelled,
            measure=measures(name, quantify.METHODS),
            shard=parts,
        ),
        *expand(
            f"results/{name}/quantify/{{method}}/rejected_{{measure}}/all.parquet",
            # A control that finds nothing has no series, and that is its job.
            method=[method for method in labelled if method not in segment.CONTROLS],
            measure=measures(name, quantify.SERIES),
        ),
        *expand(
            f"results/{name}/connect/{{method}}/rejected/{{shard}}.parquet",
            method=STUDIES[name]["connect"],
            shard=parts,
        ),
        *[
            f"results/{name}/predict/{method}/rejected/all.parquet"
            for method in predicts(name)
            if method not in {**predict.CRYSTAL_METHODS, **predict.COMPOSITION_METHODS}
        ],
        *expand(
            f"results/{name}/predict/{{method}}/rejected/{{shard}}.parquet",
            method=foretells(name),
            shard=parts,
        ),
        *[
            f"results/{name}/predict/{method}/rejected/all.parquet"
            for method in foretells(name)
            if method == "chgnet"
        ],
    ]


def timings(name):
    """List what the verdicts of a study cost."""
    return [f"results/{name}/timings/verdicts.csv"] if engines(name) else []


def tables(name):
    """List the tables of a study that people open."""
    return expand(
        "results/{study}/tables/{table}.csv",
        study=name,
        table=[
            "items",
            "rejected",
            *(["connections"] if STUDIES[name]["connect"] else []),
            *STUDIES[name]["quantify"],
            *(["proposals"] if "propose" in STUDIES[name] else []),
            *(predict.ARTEFACTS if predicts(name) else []),
            *compared(name),
            *(["properties"] if foretells(name) else []),
            *(["sites"] if atomic(name) else []),
            *(screen.ARTEFACTS if screens(name) else []),
            *(["verdicts"] if engines(name) else []),
            *(["equilibria"] if "calphad" in engines(name) else []),
            *(["bridge"] if "bridge" in STUDIES[name].get("validate", {}) else []),
            *(acquire.ARTEFACTS if acquires(name) else []),
        ],
    )
