rule segment:
    input:
        images=lambda wildcards: f"{source(wildcards.study)}/images/{wildcards.shard}.zarr.zip",
        truth=lambda wildcards: f"{source(wildcards.study)}/truth/{wildcards.shard}.zarr.zip",
        code=code("segment", segment.METHODS),
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
