localrules:
    field_costs,


rule fields:
    """Compute the fields of a shard, and those of the controls beside them."""
    input:
        images=plan.ingested("images"),
        labels=plan.labels_for("fields"),
        truths=plan.exact("fields", "fields"),
        weights=plan.weights("fields"),
        card=plan.card("fields"),
    output:
        fields="results/{study}/fields/{method}/fields/{shard}.zarr.zip",
        effective="results/{study}/fields/{method}/effective/{shard}.parquet",
        field_quality="results/{study}/fields/{method}/field_quality/{shard}.parquet",
        hot_spots="results/{study}/fields/{method}/hot_spots/{shard}.parquet",
        costs="results/{study}/fields/{method}/costs/{shard}.parquet",
        rejected="results/{study}/fields/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/fields/{method}/{shard}.log",
    benchmark:
        "logs/{study}/fields/{method}/{shard}.tsv"
    wildcard_constraints:
        method=pattern(fields.METHODS),
    # A cell of 21^3 or 512^2 takes seconds; the finer grid beside it takes most of the memory.
    resources:
        mem_mb=plan.memory(4000),
        runtime=plan.minutes(20, 0.5),
        gpu=plan.gpus("fields", FIELD_NETS),
    params:
        code=plan.trained_code("fields", fields.METHODS),
        options=plan.options("fields"),
        solver=plan.exact("fields"),
        settings=plan.chosen("fields", fields.SETTINGS),
        phases=plan.phases,
    script:
        "../scripts/fields.py"


rule field_scores:
    """Average the quality of the fields of a method over the items of each split, beside that of the controls."""
    input:
        field_quality="results/{study}/fields/{method}/field_quality/all.parquet",
    output:
        field_scores="results/{study}/fields/{method}/field_scores/all.parquet",
    log:
        "logs/{study}/fields/{method}/field_scores.log",
    benchmark:
        "logs/{study}/fields/{method}/field_scores.tsv"
    wildcard_constraints:
        method=pattern(fields.METHODS),
    resources:
        mem_mb=plan.memory(600),
        runtime=plan.minutes(5),
    params:
        code=plan.code("field_scores"),
    script:
        "../scripts/field_scores.py"


# Times differ between runs: they stand apart from the tables, which are byte-identical.
rule field_costs:
    """Concatenate the costs of all fields of a study, which differ between runs."""
    input:
        tables=plan.of_methods(
            "fields", "results/{study}/fields/{method}/costs/{shard}.parquet"
        ),
    output:
        table="results/{study}/timings/fields.csv",
    log:
        "logs/{study}/timings/fields.log",
    resources:
        mem_mb=plan.memory(1000),
        runtime=plan.minutes(5),
    params:
        code=plan.code("concatenate"),
    script:
        "../scripts/concatenate.py"
