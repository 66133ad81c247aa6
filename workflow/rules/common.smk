import os

from snakemake.exceptions import WorkflowError

# The library is found by every job through the environment; the Snakefile itself imports only its light rooms.
sys.path.insert(0, "workflow")
os.environ["PYTHONPATH"] = "workflow"
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from matlens import ingest, quantify, registry, segment, sources, study  # noqa: E402


wildcard_constraints:
    study="[a-z0-9_]+",
    stage="[a-z]+",
    method="[a-z0-9_]+",
    artefact="[a-z0-9_]+",
    shard=r"\d{4}",


try:
    STUDIES = study.load_all(config.get("studies"), "config/studies")
except study.StudyError as error:
    raise WorkflowError(f"nothing was started; mend this first:\n{error}") from None


def shards(name):
    """List the shards of a study."""
    return [f"{number:04d}" for number in range(STUDIES[name]["ingest"]["shards"])]


def source(name):
    """Name the folder of the ingested items of a study."""
    return f"results/{name}/ingest/{study.ingest_method(STUDIES[name])}"


def options(stage, key="method"):
    """Give a rule the options of its method, from its study."""
    return lambda wildcards: STUDIES[wildcards.study][stage][wildcards[key]]


def phases(wildcards):
    """Give a rule the names of the phases of its study."""
    return STUDIES[wildcards.study]["phases"]


def code(door, table=None, key="method"):
    """Give a rule the library files behind its door and its method: a changed formula reruns its users, and only those."""
    door = f"scripts/{door}.py"
    if table is None:
        return sources.closure(door)
    return lambda wildcards: sources.closure(door, table[wildcards[key]])


def measures(name, table):
    """List the measures of a study that a table of measures holds."""
    return [measure for measure in STUDIES[name]["quantify"] if measure in table]


def rejected(wildcards):
    """List every `rejected` table of a study."""
    name, parts = wildcards.study, shards(wildcards.study)
    methods = STUDIES[name]["segment"]
    return [
        f"{source(name)}/rejected/plan.parquet",
        *expand(f"{source(name)}/rejected/{{shard}}.parquet", shard=parts),
        *expand(
            f"results/{name}/segment/{{method}}/rejected/{{shard}}.parquet",
            method=methods,
            shard=parts,
        ),
        *expand(
            f"results/{name}/quantify/{{method}}/rejected_{{measure}}/{{shard}}.parquet",
            method=methods,
            measure=measures(name, quantify.METHODS),
            shard=parts,
        ),
    ]


def tables(name):
    """List the tables of a study that people open."""
    return expand(
        "results/{study}/tables/{table}.csv",
        study=name,
        table=["items", "rejected", *STUDIES[name]["quantify"]],
    )
