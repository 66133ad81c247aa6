rule connect:
    input:
        structures=lambda wildcards: f"{source(wildcards.study)}/structures/{wildcards.shard}.zarr.zip",
        code=code("connect", connect.METHODS),
    output:
        graphs="results/{study}/connect/{method}/graphs/{shard}.zarr.zip",
        connections="results/{study}/connect/{method}/connections/{shard}.parquet",
        rejected="results/{study}/connect/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/connect/{method}/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.5),
        runtime=minutes(10, 0.01),
    params:
        options=options("connect"),
    script:
        "../scripts/connect.py"
