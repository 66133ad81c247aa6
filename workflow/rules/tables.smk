# The folds of a network are no shards.
ruleorder: score_crystals > collect


rule collect:
    input:
        tables=lambda wildcards: expand(
            "results/{study}/{stage}/{method}/{artefact}/{shard}.parquet",
            shard=shards(wildcards.study),
            **wildcards,
        ),
        code=code("collect"),
    output:
        table="results/{study}/{stage}/{method}/{artefact}/all.parquet",
    log:
        "logs/{study}/{stage}/{method}/{artefact}/collect.log",
    wildcard_constraints:
        artefact="|".join(
            ["index", "connections", "properties", "sites", *quantify.METHODS]
        ),
    # The index, too, is what training waits for.
    priority: 1
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(5, 0.001),
    script:
        "../scripts/collect.py"


rule table:
    input:
        tables=stacked,
        code=code("table"),
    output:
        table="results/{study}/tables/{table}.csv",
    log:
        "logs/{study}/tables/{table}.log",
    wildcard_constraints:
        table="|".join(
            [
                "connections",
                *quantify.METHODS,
                *quantify.SERIES,
                *predict.ARTEFACTS,
                *acquire.ARTEFACTS,
                *screen.ARTEFACTS,
                "properties",
                "sites",
            ]
        ),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.2),
        runtime=minutes(5, 0.001),
    params:
        methods=lambda wildcards: methods(wildcards.study, wildcards.table),
    script:
        "../scripts/table.py"


rule items:
    input:
        tables=lambda wildcards: [f"{source(wildcards.study)}/index/all.parquet"],
        code=code("table"),
    output:
        table="results/{study}/tables/items.csv",
    log:
        "logs/{study}/tables/items.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(5, 0.001),
    params:
        methods=lambda wildcards: [study.ingest_method(STUDIES[wildcards.study])],
    script:
        "../scripts/table.py"


rule rejected:
    input:
        tables=rejected,
        code=code("rejected"),
    output:
        table="results/{study}/tables/rejected.csv",
    log:
        "logs/{study}/tables/rejected.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(5, 0.001),
    script:
        "../scripts/rejected.py"
