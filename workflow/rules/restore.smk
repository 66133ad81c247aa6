rule restore:
    """Restore the images of a shard."""
    input:
        images=plan.images("restore"),
        raw=plan.ingested("images"),
        weights=plan.weights("restore"),
        card=plan.card("restore"),
    output:
        restored="results/{study}/restore/{method}/images/{shard}.zarr.zip",
        quality="results/{study}/restore/{method}/quality/{shard}.parquet",
        rejected="results/{study}/restore/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/restore/{method}/{shard}.log",
    benchmark:
        "logs/{study}/restore/{method}/{shard}.tsv"
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(10, 1),
        gpu=plan.gpus("restore", restore.LEARNERS),
    params:
        code=plan.trained_code("restore", restore.METHODS),
        options=plan.options("restore"),
    script:
        "../scripts/restore.py"


rule previews:
    """Draw some items before and after a restoration."""
    input:
        raw=plan.ingested("images"),
        restored=plan.of_shards(
            "results/{study}/restore/{method}/images/{shard}.zarr.zip"
        ),
        index=plan.index,
    output:
        previews="results/{study}/restore/{method}/previews/all.zip",
    log:
        "logs/{study}/restore/{method}/previews.log",
    benchmark:
        "logs/{study}/restore/{method}/previews.tsv"
    resources:
        mem_mb=plan.memory(1500),
        runtime=plan.minutes(10),
    params:
        code=plan.code("previews"),
        most=plan.figure_option("restoration", "items"),
        side_px=plan.figure_option("restoration", "side_px"),
        include=plan.figure_option("restoration", "include"),
        learned=plan.learned("restore"),
    script:
        "../scripts/previews.py"
