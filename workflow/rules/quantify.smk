rule quantify:
    """Measure the labels of a shard."""
    input:
        labels=plan.measured("quantify"),
        images=plan.images("segment"),
        truth=plan.ingested("truth"),
    output:
        table="results/{study}/quantify/{method}/{measure}/{shard}.parquet",
        rejected="results/{study}/quantify/{method}/rejected_{measure}/{shard}.parquet",
    log:
        "logs/{study}/quantify/{method}/{measure}/{shard}.log",
    benchmark:
        "logs/{study}/quantify/{method}/{measure}/{shard}.tsv"
    wildcard_constraints:
        measure=pattern(quantify.METHODS),
    resources:
        mem_mb=plan.memory(1500, 1),
        runtime=plan.minutes(10, 0.1),
        dask_workers=0,
    params:
        code=plan.code("quantify", quantify.METHODS, "measure"),
        options=plan.options("quantify", "measure"),
        phases=plan.phases,
    script:
        "../scripts/quantify.py"


rule series:
    """Measure what the items of a study say together, from the merged tables of other measures."""
    input:
        tables=plan.series_tables,
        index=plan.index,
    output:
        table="results/{study}/quantify/{method}/{measure}/all.parquet",
        rejected="results/{study}/quantify/{method}/rejected_{measure}/all.parquet",
    log:
        "logs/{study}/quantify/{method}/{measure}/series.log",
    benchmark:
        "logs/{study}/quantify/{method}/{measure}/series.tsv"
    wildcard_constraints:
        measure=pattern(quantify.SERIES),
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(20, 0.001),
    params:
        code=plan.code("series", quantify.SERIES, "measure"),
        names=plan.series_needs,
        options=plan.options("quantify", "measure"),
        phases=plan.phases,
    script:
        "../scripts/series.py"
