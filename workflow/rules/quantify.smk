rule quantify:
    input:
        labels="results/{study}/segment/{method}/labels/{shard}.zarr.zip",
        images=lambda wildcards: f"{source(wildcards.study)}/images/{wildcards.shard}.zarr.zip",
        truth=lambda wildcards: f"{source(wildcards.study)}/truth/{wildcards.shard}.zarr.zip",
        code=code("quantify", quantify.METHODS, "measure"),
    output:
        table="results/{study}/quantify/{method}/{measure}/{shard}.parquet",
        rejected="results/{study}/quantify/{method}/rejected_{measure}/{shard}.parquet",
    log:
        "logs/{study}/quantify/{method}/{measure}/{shard}.log",
    wildcard_constraints:
        measure="|".join(quantify.METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        options=options("quantify", "measure"),
        phases=phases,
    script:
        "../scripts/quantify.py"
