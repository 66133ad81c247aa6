rule ingest_plan:
    """List the items of a study."""
    input:
        made=plan.generated_files,
    output:
        plan="results/{study}/ingest/{method}/plan/all.parquet",
        rejected="results/{study}/ingest/{method}/rejected/plan.parquet",
    log:
        "logs/{study}/ingest/{method}/plan.log",
    benchmark:
        "logs/{study}/ingest/{method}/plan.tsv"
    # The index waits for all items, and training for the index.
    priority: 1
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(30),
    params:
        code=plan.code("ingest_plan", ingest.PLANS),
        options=plan.options("ingest"),
        listing=plan.listing,
    script:
        "../scripts/ingest_plan.py"


# One rule for each kind of items, since kinds differ in their files.
for kind, about in KINDS.items():

    rule:
        """Read a shard of items, with their index."""
        name:
            f"ingest_{kind}"
        input:
            plan="results/{study}/ingest/{method}/plan/all.parquet",
            made=plan.generated_files,
        output:
            **plan.ingest_files(kind),
            index="results/{study}/ingest/{method}/index/{shard}.parquet",
            rejected="results/{study}/ingest/{method}/rejected/{shard}.parquet",
        log:
            "logs/{study}/ingest/{method}/{shard}.log",
        benchmark:
            "logs/{study}/ingest/{method}/{shard}.tsv"
        wildcard_constraints:
            method=pattern(about.readers),
        priority: 1
        resources:
            mem_mb=plan.memory(*about.memory_mb),
            runtime=plan.minutes(*about.minutes),
        params:
            code=plan.ingest_code(kind),
            kind=kind,
            options=plan.options("ingest"),
            phases=plan.phases,
            shards=plan.shard_count,
        script:
            "../scripts/ingest.py"
