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
        mem_mb=memory(1500, 1),
        runtime=minutes(10, 0.1),
        dask_workers=0,
    params:
        options=options("quantify", "measure"),
        phases=phases,
    script:
        "../scripts/quantify.py"


rule series:
    input:
        tables=lambda wildcards: expand(
            "results/{study}/quantify/{method}/{table}/all.parquet",
            study=wildcards.study,
            method=wildcards.method,
            table=NEEDS[wildcards.measure],
        ),
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        code=code("series", quantify.SERIES, "measure"),
    output:
        table="results/{study}/quantify/{method}/{measure}/all.parquet",
        rejected="results/{study}/quantify/{method}/rejected_{measure}/all.parquet",
    log:
        "logs/{study}/quantify/{method}/{measure}/series.log",
    wildcard_constraints:
        measure="|".join(quantify.SERIES),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.2),
        runtime=minutes(20, 0.001),
    params:
        names=lambda wildcards: NEEDS[wildcards.measure],
        options=options("quantify", "measure"),
        phases=phases,
    script:
        "../scripts/series.py"
