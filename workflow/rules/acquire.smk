# Rounds are files: round n works on the verdicts of all rounds before it, so that asking for one more runs one more.


rule acquire:
    """Choose the candidates of a round from the verdicts of the rounds before it."""
    input:
        index=plan.index,
        verdicts=plan.earlier_rounds("verdicts"),
        timings=plan.earlier_rounds("timings"),
    output:
        candidates="results/{study}/acquire/{method}/candidates/{round}.parquet",
    log:
        "logs/{study}/acquire/{method}/{round}.log",
    benchmark:
        "logs/{study}/acquire/{method}/{round}.tsv"
    resources:
        mem_mb=plan.memory(3000, 0.1),
        runtime=plan.minutes(60, 0.01),
    params:
        code=plan.loop_code(
            "acquire", method=acquire.METHODS, surrogate=acquire.SURROGATES
        ),
        options=plan.options("acquire"),
        settings=plan.loop_settings,
    script:
        "../scripts/acquire.py"


rule judge:
    """Get the verdicts on the candidates of a round."""
    input:
        candidates="results/{study}/acquire/{method}/candidates/{round}.parquet",
        index=plan.index,
        structures=plan.loop_structures,
    output:
        verdicts="results/{study}/acquire/{method}/verdicts/{round}.parquet",
        timings="results/{study}/acquire/{method}/timings/{round}.parquet",
        seen="results/{study}/acquire/{method}/seen/{round}.json",
    log:
        "logs/{study}/acquire/{method}/judge_{round}.log",
    benchmark:
        "logs/{study}/acquire/{method}/judge_{round}.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.oracle_minutes(60),
    params:
        code=plan.loop_code("judge", oracle=acquire.ORACLES),
        oracle=plan.section("acquire", "oracle"),
        settings=plan.oracle_settings,
        databases=plan.oracle_databases,
        returned=plan.returned_in_round,
    script:
        "../scripts/judge.py"


rule progress:
    """Summarise the rounds of a method."""
    input:
        index=plan.index,
        candidates=plan.all_rounds("candidates"),
        verdicts=plan.all_rounds("verdicts"),
    output:
        rounds="results/{study}/acquire/{method}/rounds/all.parquet",
        asked="results/{study}/acquire/{method}/asked/all.parquet",
    log:
        "logs/{study}/acquire/{method}/progress.log",
    benchmark:
        "logs/{study}/acquire/{method}/progress.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(20, 0.001),
    params:
        code=plan.code("progress"),
        settings=plan.loop_settings,
    script:
        "../scripts/progress.py"


rule transfer:
    """Measure what the verdicts of every round taught the surrogate."""
    input:
        index=plan.index,
        verdicts=plan.all_rounds("verdicts"),
    output:
        table="results/{study}/acquire/{method}/transfer/all.parquet",
    log:
        "logs/{study}/acquire/{method}/transfer.log",
    benchmark:
        "logs/{study}/acquire/{method}/transfer.tsv"
    resources:
        mem_mb=plan.memory(3000, 0.1),
        runtime=plan.minutes(60, 0.01),
    params:
        code=plan.loop_code("transfer", surrogate=acquire.SURROGATES),
        settings=plan.loop_settings,
    script:
        "../scripts/transfer.py"
