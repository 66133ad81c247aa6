localrules:
    record,


rule benchmark:
    """Compare predictions on official folds with those of published models."""
    input:
        index=plan.index,
        predictions=plan.predictions,
        recorded=predictions.published_scores(),
        leaderboard="data/published/matbench_leaderboard.csv",
    output:
        table="results/{study}/tables/benchmark.csv",
        paired="results/{study}/tables/paired.csv",
    log:
        "logs/{study}/tables/benchmark.log",
    benchmark:
        "logs/{study}/tables/benchmark.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.02),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("benchmark"),
        methods=plan.learned_methods,
        target=plan.section("predict", "target"),
    script:
        "../scripts/benchmark.py"


rule ood:
    """Score predictions out of distribution, next to published models evaluated in distribution."""
    input:
        index=plan.index,
        predictions=plan.predictions,
        reference="data/published/ood_in_distribution.csv",
    output:
        table="results/{study}/tables/ood.csv",
    log:
        "logs/{study}/tables/ood.log",
    benchmark:
        "logs/{study}/tables/ood.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.02),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("ood"),
        methods=plan.learned_methods,
        split=plan.section("predict", "split"),
        target=plan.section("predict", "target"),
    script:
        "../scripts/ood.py"


rule hits:
    """Score predictions as screenings: good candidates among the best by prediction."""
    input:
        predictions=plan.predictions,
        index=plan.index,
    output:
        table="results/{study}/tables/hits.csv",
    log:
        "logs/{study}/tables/hits.log",
    benchmark:
        "logs/{study}/tables/hits.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.02),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("hits"),
        methods=plan.learned_methods,
        wish=plan.section("predict", "hits"),
    script:
        "../scripts/hits.py"


rule record:
    """Write predictions on official folds in the format of Matbench."""
    input:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
    output:
        record="results/{study}/predict/{method}/record/all.json",
    log:
        "logs/{study}/predict/{method}/record.log",
    resources:
        mem_mb=plan.memory(1500, 0.02),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("record"),
        options=plan.options("predict"),
        target=plan.section("predict", "target"),
    script:
        "../scripts/record.py"
