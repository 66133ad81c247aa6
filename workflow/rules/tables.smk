# Joining files takes seconds: these rules run where Snakemake runs.
localrules:
    collect,
    table,
    items,
    rejected,


COLLECTED, COLLECTED_FROM = outputs.collected()


rule collect:
    """Concatenate the tables of all shards, in order."""
    input:
        tables=plan.of_shards(
            "results/{study}/{stage}/{method}/{output}/{shard}.parquet"
        ),
    output:
        table="results/{study}/{stage}/{method}/{output}/all.parquet",
    log:
        "logs/{study}/{stage}/{method}/{output}/collect.log",
    wildcard_constraints:
        method=pattern(COLLECTED_FROM),
        output=pattern(COLLECTED),
    # Training waits for the index.
    priority: 1
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("collect"),
        references=plan.references,
    script:
        "../scripts/collect.py"


rule table:
    """Write a table that people open, with the rows of every method."""
    input:
        tables=plan.stacked,
    output:
        table="results/{study}/tables/{table}.csv",
    log:
        "logs/{study}/tables/{table}.log",
    wildcard_constraints:
        table=pattern(outputs.stacked()),
    resources:
        mem_mb=plan.memory(1000, 0.2),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("table"),
        methods=plan.stacked_methods,
    script:
        "../scripts/table.py"


rule items:
    """Write the table of the items of a study."""
    input:
        tables=lambda wildcards: [plan.index(wildcards)],
    output:
        table="results/{study}/tables/items.csv",
    log:
        "logs/{study}/tables/items.log",
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("table"),
        methods=plan.ingest_methods,
    script:
        "../scripts/table.py"


rule rejected:
    """Write the table of rejected items with stage and reason."""
    input:
        tables=plan.rejected,
    output:
        table="results/{study}/tables/rejected.csv",
    log:
        "logs/{study}/tables/rejected.log",
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("concatenate"),
    script:
        "../scripts/concatenate.py"
