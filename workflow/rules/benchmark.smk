rule benchmark:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        predictions=predicted,
        recorded=recorded(),
        leaderboard="data/published/matbench_leaderboard.csv",
        code=code("benchmark"),
    output:
        table="results/{study}/tables/benchmark.csv",
        paired="results/{study}/tables/paired.csv",
    log:
        "logs/{study}/tables/benchmark.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.02),
        runtime=minutes(10, 0.001),
    params:
        methods=lambda wildcards: predicts(wildcards.study),
        target=lambda wildcards: STUDIES[wildcards.study]["predict"]["target"],
    script:
        "../scripts/benchmark.py"


rule ood:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        predictions=predicted,
        reference="data/published/ood_in_distribution.csv",
        code=code("ood"),
    output:
        table="results/{study}/tables/ood.csv",
    log:
        "logs/{study}/tables/ood.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.02),
        runtime=minutes(10, 0.001),
    params:
        methods=lambda wildcards: predicts(wildcards.study),
        split=lambda wildcards: STUDIES[wildcards.study]["predict"]["split"],
        target=lambda wildcards: STUDIES[wildcards.study]["predict"]["target"],
    script:
        "../scripts/ood.py"


rule record:
    input:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        code=code("record"),
    output:
        record="results/{study}/predict/{method}/record/all.json",
    log:
        "logs/{study}/predict/{method}/record.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.02),
        runtime=minutes(10, 0.001),
    params:
        options=options("predict"),
        target=lambda wildcards: STUDIES[wildcards.study]["predict"]["target"],
    script:
        "../scripts/record.py"
