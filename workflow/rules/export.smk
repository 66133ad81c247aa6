rule export_shard:
    input:
        plan=lambda wildcards: f"{source(wildcards.study)}/plan/all.parquet",
        images=lambda wildcards: f"{source(wildcards.study)}/images/{wildcards.shard}.zarr.zip",
        truth=lambda wildcards: f"{source(wildcards.study)}/truth/{wildcards.shard}.zarr.zip",
        labels=lambda wildcards: expand(
            "results/{study}/segment/{method}/labels/{shard}.zarr.zip",
            method=STUDIES[wildcards.study]["segment"],
            **wildcards,
        ),
        code=code("export"),
    output:
        manifest="results/{study}/export/manifest/{shard}.json",
    log:
        "logs/{study}/export/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10, 0.1),
    params:
        methods=lambda wildcards: list(STUDIES[wildcards.study]["segment"]),
        shards=lambda wildcards: len(shards(wildcards.study)),
    script:
        "../scripts/export.py"


rule export:
    input:
        [
            expand(
                "results/{study}/export/manifest/{shard}.json",
                study=name,
                shard=shards(name),
            )
            for name in STUDIES
        ],
