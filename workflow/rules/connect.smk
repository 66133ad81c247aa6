rule connect:
    """Build the graphs of a shard of crystals."""
    input:
        structures=plan.ingested("structures"),
    output:
        graphs="results/{study}/connect/{method}/graphs/{shard}.zarr.zip",
        connections="results/{study}/connect/{method}/connections/{shard}.parquet",
        rejected="results/{study}/connect/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/connect/{method}/{shard}.log",
    benchmark:
        "logs/{study}/connect/{method}/{shard}.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.5),
        runtime=plan.minutes(10, 0.01),
    params:
        code=plan.code("connect", connect.METHODS),
        options=plan.options("connect"),
    script:
        "../scripts/connect.py"
