from matlens.nets import NETS
from matlens.segment import trained


def check_weights():
    """Stop before the first job where weights are borrowed from a study that this run does not know."""
    for name, settings in STUDIES.items():
        for method, chosen in settings["segment"].items():
            for option in ("weights", "initial_weights"):
                lender = str((chosen or {}).get(option) or "")
                study_name, _, lent = lender.partition("/")
                known = STUDIES.get(study_name, {}).get("segment", {})
                if lender and not lender.endswith(".safetensors") and lent not in known:
                    raise WorkflowError(
                        "nothing was started; mend this first:\n"
                        f"config/studies/{name}.yaml: segment.{method}.{option}: '{lender}' is not a method of a study of this run; "
                        f"add '{study_name}' to config key 'studies', or name a .safetensors file"
                    )


check_weights()


def weights(wildcards):
    """Name the weights that a method applies; none where it does not learn."""
    if wildcards.method not in segment.LEARNERS:
        return []
    chosen = options("segment")(wildcards)
    return registry.call(trained.weights_file, dict(wildcards.items()), chosen)


def initial(wildcards):
    """Name the weights that training starts from, if any."""
    chosen = options("segment")(wildcards)
    return registry.call(trained.initial_file, dict(wildcards.items()), chosen) or []


def card(wildcards):
    """Name the card of the weights that a method applies."""
    found = weights(wildcards)
    return trained.card_file(found) if found else []


def segment_code(door, table):
    """Name the library files behind a door and its method, its network among them."""
    return lambda wildcards: sources.closure(
        f"scripts/{door}.py",
        *[t[wildcards.method] for t in (table, NETS) if wildcards.method in t],
    )


rule learn:
    input:
        images=lambda wildcards: expand(
            f"{source(wildcards.study)}/images/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        truth=lambda wildcards: expand(
            f"{source(wildcards.study)}/truth/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        initial=initial,
        code=segment_code("learn", segment.LEARNERS),
    output:
        weights="results/{study}/segment/{method}/weights/all.safetensors",
        card="results/{study}/segment/{method}/card/all.json",
        history="results/{study}/segment/{method}/history/all.parquet",
    log:
        "logs/{study}/segment/{method}/learn.log",
    wildcard_constraints:
        method="|".join(segment.LEARNERS),
    conda:
        "../../envs/core.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        options=options("segment"),
        phases=phases,
    script:
        "../scripts/learn.py"


rule segment:
    input:
        images=lambda wildcards: f"{source(wildcards.study)}/images/{wildcards.shard}.zarr.zip",
        truth=lambda wildcards: f"{source(wildcards.study)}/truth/{wildcards.shard}.zarr.zip",
        weights=weights,
        card=card,
        code=segment_code("segment", segment.METHODS),
    output:
        labels="results/{study}/segment/{method}/labels/{shard}.zarr.zip",
        rejected="results/{study}/segment/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/segment/{method}/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        options=options("segment"),
        phases=phases,
    script:
        "../scripts/segment.py"
