rule fields:
    """Solve for the fields of a shard, and compute those of the controls beside them."""
    input:
        labels=plan.labels_for("fields"),
        code=plan.code("fields", fields.METHODS),
    output:
        fields="results/{study}/fields/{method}/fields/{shard}.zarr.zip",
        effective="results/{study}/fields/{method}/effective/{shard}.parquet",
        field_quality="results/{study}/fields/{method}/field_quality/{shard}.parquet",
        hot_spots="results/{study}/fields/{method}/hot_spots/{shard}.parquet",
        rejected="results/{study}/fields/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/fields/{method}/{shard}.log",
    benchmark:
        "logs/{study}/fields/{method}/{shard}.tsv"
    wildcard_constraints:
        method=pattern(fields.METHODS),
    # A cell of 21^3 or 512^2 takes seconds; the finer grid beside it takes most of the memory.
    resources:
        mem_mb=plan.memory(4000),
        runtime=plan.minutes(20, 0.5),
    params:
        options=plan.options("fields"),
        settings=plan.chosen("fields", fields.SETTINGS),
        phases=plan.phases,
    script:
        "../scripts/fields.py"
