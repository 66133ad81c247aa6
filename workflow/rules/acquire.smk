# Rounds are files: round n works on the verdicts of all rounds before it, so that asking for one more runs one more.


rule acquire:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        verdicts=earlier("verdicts"),
        timings=earlier("timings"),
        code=lambda wildcards: sources.closure(
            "scripts/acquire.py",
            acquire.METHODS[wildcards.method],
            acquire.SURROGATES[STUDIES[wildcards.study]["acquire"]["surrogate"]],
        ),
    output:
        candidates="results/{study}/acquire/{method}/candidates/{shard}.parquet",
    log:
        "logs/{study}/acquire/{method}/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(3000, 0.1, whole=True),
        runtime=minutes(60, 0.01, whole=True),
    params:
        options=options("acquire"),
        settings=asking,
    script:
        "../scripts/acquire.py"


rule judge:
    input:
        candidates="results/{study}/acquire/{method}/candidates/{shard}.parquet",
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        code=lambda wildcards: sources.closure(
            "scripts/judge.py",
            acquire.ORACLES[STUDIES[wildcards.study]["acquire"]["oracle"]],
        ),
    output:
        verdicts="results/{study}/acquire/{method}/verdicts/{shard}.parquet",
        timings="results/{study}/acquire/{method}/timings/{shard}.parquet",
    log:
        "logs/{study}/acquire/{method}/judge_{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        oracle=lambda wildcards: STUDIES[wildcards.study]["acquire"]["oracle"],
        settings=judging,
        databases=oracle_databases,
    script:
        "../scripts/judge.py"


rule progress:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        candidates=every_round("candidates"),
        verdicts=every_round("verdicts"),
        code=code("progress"),
    output:
        rounds="results/{study}/acquire/{method}/rounds/all.parquet",
        asked="results/{study}/acquire/{method}/asked/all.parquet",
    log:
        "logs/{study}/acquire/{method}/progress.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.2, whole=True),
        runtime=minutes(20, 0.001, whole=True),
    params:
        settings=asking,
    script:
        "../scripts/progress.py"


rule transfer:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        verdicts=every_round("verdicts"),
        code=lambda wildcards: sources.closure(
            "scripts/transfer.py",
            acquire.SURROGATES[STUDIES[wildcards.study]["acquire"]["surrogate"]],
        ),
    output:
        table="results/{study}/acquire/{method}/transfer/all.parquet",
    log:
        "logs/{study}/acquire/{method}/transfer.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(3000, 0.1, whole=True),
        runtime=minutes(60, 0.01, whole=True),
    params:
        settings=asking,
    script:
        "../scripts/transfer.py"
