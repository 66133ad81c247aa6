import os

from snakemake.exceptions import WorkflowError

# The library is found by every job through the environment; the Snakefile itself imports only its light rooms.
sys.path.insert(0, "workflow")
os.environ.update(PYTHONPATH="workflow")
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from figures import DRAWS, FIGURES
from matlens import (
    catalog,
    connect,
    ingest,
    predict,
    quantify,
    registry,
    segment,
    sources,
    study,
)  # noqa: E402


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


def measures(name, table):
    """List the measures of a study that a table of measures holds."""
    return [measure for measure in STUDIES[name]["quantify"] if measure in table]


def predicts(name):
    """List the prediction methods of a study."""
    return [
        method
        for method in STUDIES[name].get("predict", {})
        if method in {**predict.METHODS, **predict.IMAGE_METHODS}
    ]


def methods(name, table):
    """List the methods of a study that make a table."""
    if table in predict.ARTEFACTS:
        return predicts(name)
    return list(STUDIES[name]["connect" if table == "connections" else "segment"])


def stacked(wildcards):
    """List the merged tables behind one that people open: the same artefact of every method."""
    stages = {"connections": "connect", **dict.fromkeys(predict.ARTEFACTS, "predict")}
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
            method=labelled,
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
        ],
    ]


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
            *(predict.ARTEFACTS if predicts(name) else []),
        ],
    )


def listing(wildcards):
    """Digest the files behind a study, so that a new or changed file is seen; "" where there are none."""
    if wildcards.method not in ingest.LISTINGS:
        return ""
    digest = registry.load(ingest.LISTINGS, wildcards.method)
    try:
        return registry.call(
            digest, {}, STUDIES[wildcards.study]["ingest"][wildcards.method]
        )
    except (OSError, ValueError) as error:
        place = f"config/studies/{wildcards.study}.yaml: ingest.{wildcards.method}"
        raise WorkflowError(
            f"nothing was started; mend this first:\n{place}: {error}"
        ) from None


def featured(name):
    """Name the segmentation whose measures are the features of a study, and those measures."""
    settings = STUDIES[name]["predict"]
    labels = settings["labels"] or next(iter(STUDIES[name]["segment"]))
    used = {feature.split(".")[0] for feature in settings["features"]}
    return labels, [measure for measure in STUDIES[name]["quantify"] if measure in used]


def trained_here(name):
    """List the segmentation methods that a study trains itself."""
    methods = STUDIES[name]["segment"]
    return [
        method
        for method in methods
        if method in segment.LEARNERS and not methods[method].get("weights")
    ]


def drawable(name):
    """Name everything that a figure of a study can be drawn from, and the file or files behind it."""
    labelled = STUDIES[name]["segment"]

    def each(stage, artefact, methods):
        return {
            method: f"results/{name}/{stage}/{method}/{artefact}/all.parquet"
            for method in methods
        }

    return {
        "index": f"{source(name)}/index/all.parquet",
        "overlays": {
            method: f"results/{name}/segment/{method}/overlays/all.zip"
            for method in labelled
        },
        **{
            measure: each("quantify", measure, labelled)
            for measure in STUDIES[name]["quantify"]
        },
        **(
            {"history": each("segment", "history", trained_here(name))}
            if trained_here(name)
            else {}
        ),
        **(
            {
                table: each("predict", table, predicts(name))
                for table in predict.ARTEFACTS
            }
            if predicts(name)
            else {}
        ),
    }


def check_figures():
    """Stop before the first job where a figure is drawn from what its study does not make."""
    remedies = {
        "history": "train a network in the section 'segment'",
        **dict.fromkeys(predict.ARTEFACTS, "add a section 'predict'"),
    }
    for name, settings in STUDIES.items():
        for figure in settings["figures"]:
            for need in set(FIGURES[figure]["needs"]) - set(drawable(name)):
                raise WorkflowError(
                    "nothing was started; mend this first:\n"
                    f"config/studies/{name}.yaml: figures.{figure}: it is drawn from '{need}'; "
                    + remedies.get(
                        need, f"add '{need}: {{}}' to the section 'quantify'"
                    )
                )


def needs(wildcards):
    """Name the files behind a figure: one, or one for every method."""
    found = drawable(wildcards.study)
    chosen = {need: found[need] for need in FIGURES[wildcards.figure]["needs"]}
    reference = STUDIES[wildcards.study]["figures"][wildcards.figure].get("reference")
    return (
        {**chosen, "published": published(wildcards, *reference.split("/", 1))}
        if reference
        else chosen
    )


def published(wildcards, name, file):
    """Find the file of published curves that a figure is compared with."""
    try:
        return str(catalog.find(name, file))
    except (OSError, ValueError, KeyError) as error:
        place = f"config/studies/{wildcards.study}.yaml: figures.{wildcards.figure}.reference"
        raise WorkflowError(
            f"nothing was started; mend this first:\n{place}: {error}"
        ) from None


def needed(wildcards):
    """List the files behind a figure."""
    return [
        path
        for found in needs(wildcards).values()
        for path in (found.values() if isinstance(found, dict) else [found])
    ]


def pictures(name):
    """List the figures of a study."""
    return expand(
        "results/{study}/figures/{figure}.svg",
        study=name,
        figure=STUDIES[name]["figures"],
    )


def overlay_option(key):
    """Give an option of the overlays, which the report shows even where no figure of them is asked for."""
    schema = study.read_schema("figures.schema.yaml")["properties"]["overlays"]
    default = schema["properties"][key]["default"]
    return (
        lambda wildcards: STUDIES[wildcards.study]["figures"]
        .get("overlays", {})
        .get(key, default)
    )


def named(paths):
    """Name files by what they hold: "results/x/tables/items.csv" is "items"."""
    return {os.path.splitext(os.path.basename(path))[0]: path for path in paths}


def overlaid(name):
    """Name the overlays of a study by method."""
    return {
        method: f"results/{name}/segment/{method}/overlays/all.zip"
        for method in STUDIES[name]["segment"]
    }


def contents():
    """List what the report shows of every study: its words and settings, and the files to show, by name."""
    return {
        name: {
            **{key: settings[key] for key in ("title", "about", "reference")},
            "settings": settings,
            "shards": settings["ingest"]["shards"],
            "methods": [*settings["connect"], *settings["segment"]],
            "main_table": study.main_table(settings).removesuffix(".csv"),
            "tables": named(tables(name)),
            "figures": named(pictures(name)),
            "overlays": overlaid(name),
        }
        for name, settings in STUDIES.items()
    }
