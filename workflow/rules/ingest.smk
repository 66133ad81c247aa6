rule ingest_plan:
    input:
        code=code("ingest_plan", ingest.PLANS),
    output:
        plan="results/{study}/ingest/{method}/plan/all.parquet",
        rejected="results/{study}/ingest/{method}/rejected/plan.parquet",
    log:
        "logs/{study}/ingest/{method}/plan.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        options=options("ingest"),
        listing=listing,
    script:
        "../scripts/ingest_plan.py"


rule ingest:
    input:
        plan="results/{study}/ingest/{method}/plan/all.parquet",
        code=code("ingest", ingest.METHODS),
    output:
        images="results/{study}/ingest/{method}/images/{shard}.zarr.zip",
        truth="results/{study}/ingest/{method}/truth/{shard}.zarr.zip",
        index="results/{study}/ingest/{method}/index/{shard}.parquet",
        rejected="results/{study}/ingest/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/ingest/{method}/{shard}.log",
    wildcard_constraints:
        method="|".join(ingest.METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000, 0.5),
        runtime=minutes(10, 0.05),
    params:
        options=options("ingest"),
        phases=phases,
        shards=lambda wildcards: len(shards(wildcards.study)),
    script:
        "../scripts/ingest.py"


rule ingest_structures:
    input:
        plan="results/{study}/ingest/{method}/plan/all.parquet",
        code=code("ingest_structures", ingest.CRYSTALS),
    output:
        structures="results/{study}/ingest/{method}/structures/{shard}.zarr.zip",
        index="results/{study}/ingest/{method}/index/{shard}.parquet",
        rejected="results/{study}/ingest/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/ingest/{method}/{shard}.log",
    wildcard_constraints:
        method="|".join(ingest.CRYSTALS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.2),
        runtime=minutes(10, 0.005),
    params:
        options=options("ingest"),
        shards=lambda wildcards: len(shards(wildcards.study)),
    script:
        "../scripts/ingest_structures.py"


rule ingest_compositions:
    input:
        plan="results/{study}/ingest/{method}/plan/all.parquet",
        code=code("ingest_compositions", ingest.COMPOSITIONS),
    output:
        index="results/{study}/ingest/{method}/index/{shard}.parquet",
        rejected="results/{study}/ingest/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/ingest/{method}/{shard}.log",
    wildcard_constraints:
        method="|".join(ingest.COMPOSITIONS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.02),
        runtime=minutes(10, 0.001),
    params:
        options=options("ingest"),
        shards=lambda wildcards: len(shards(wildcards.study)),
    script:
        "../scripts/ingest_compositions.py"
