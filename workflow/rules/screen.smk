rule screen:
    """Rank the candidates of a study by their predicted properties."""
    input:
        tables=plan.property_tables,
        predictions=plan.ranked_predictions,
        lost=plan.rejected_predictions,
        index=plan.index,
        reference=plan.known_formulas,
    output:
        ranked="results/{study}/screen/{method}/shortlist/all.parquet",
        excluded="results/{study}/screen/{method}/excluded/all.parquet",
        screened="results/{study}/screen/{method}/screened/all.parquet",
    log:
        "logs/{study}/screen/{method}.log",
    benchmark:
        "logs/{study}/screen/{method}.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.01),
        runtime=plan.minutes(10, 0.0001),
    params:
        code=plan.code("screen", screen.METHODS),
        options=plan.options("screen"),
        settings=plan.screening,
    script:
        "../scripts/screen.py"
