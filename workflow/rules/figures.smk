rule overlays:
    input:
        plan=lambda wildcards: f"{source(wildcards.study)}/plan/all.parquet",
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        images=lambda wildcards: expand(
            f"{source(wildcards.study)}/images/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        truth=lambda wildcards: expand(
            f"{source(wildcards.study)}/truth/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        labels=lambda wildcards: expand(
            "results/{study}/segment/{method}/labels/{shard}.zarr.zip",
            shard=shards(wildcards.study),
            **wildcards,
        ),
        table=lambda wildcards: extremes(wildcards.study),
        code=code("overlays"),
    output:
        overlays="results/{study}/segment/{method}/overlays/all.zip",
    log:
        "logs/{study}/segment/{method}/overlays.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(15),
    params:
        most=overlay_option("items"),
        width_px=overlay_option("width_px"),
        phases=phases,
    script:
        "../scripts/overlays.py"


rule figure:
    input:
        files=needed,
        code=lambda wildcards: sources.closure(
            "scripts/figure.py",
            "figures/style.py",
            "figures/__init__.py",
            DRAWS[wildcards.figure],
        ),
    output:
        figure="results/{study}/figures/{figure}.svg",
    log:
        "logs/{study}/figures/{figure}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.2),
        runtime=minutes(10, 0.001),
    params:
        needs=needs,
        name=lambda wildcards: wildcards.figure,
        options=options("figures", "figure"),
    script:
        "../scripts/figure.py"


rule figures:
    input:
        [pictures(name) for name in STUDIES],
