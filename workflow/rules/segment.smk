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
    # The longest job of a study: first, or short ones keep one of its cores until the end.
    priority: 1
    conda:
        "../../envs/core.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000, 20),
        runtime=minutes(240, 0.5),
        gpu=gpus("segment", NETS),
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
        mem_mb=memory(2000, 0.5),
        runtime=minutes(10, 0.2),
        gpu=gpus("segment", NETS),
        dask_workers=0,
    params:
        options=options("segment"),
        phases=phases,
    script:
        "../scripts/segment.py"


rule propose:
    input:
        images=lambda wildcards: expand(
            f"{source(wildcards.study)}/images/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        weights=lambda wildcards: weights(proposer(wildcards)),
        card=lambda wildcards: card(proposer(wildcards)),
        code=lambda wildcards: sources.closure(
            "scripts/propose.py", segment.PROBABILITIES[proposer(wildcards).method]
        ),
    output:
        table="results/{study}/tables/proposals.csv",
    log:
        "logs/{study}/tables/proposals.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(3000, 1),
        runtime=minutes(20, 0.2),
    params:
        method=lambda wildcards: proposer(wildcards).method,
        options=lambda wildcards: options("segment")(proposer(wildcards)),
        settings=lambda wildcards: {
            key: value
            for key, value in STUDIES[wildcards.study]["propose"].items()
            if key != "method"
        },
        phases=phases,
    script:
        "../scripts/propose.py"
