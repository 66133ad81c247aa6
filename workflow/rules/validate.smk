localrules:
    verdicts,
    verdict_timings,


rule validate:
    """Judge the results in the folders of an engine, whoever ran them."""
    input:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
        runs=plan.of_parts("results/{study}/handoff/{method}/runs/{part}.parquet"),
    output:
        verdicts_="results/{study}/validate/{method}/verdicts/all.parquet",
        timings="results/{study}/validate/{method}/timings/all.parquet",
        seen="results/{study}/validate/{method}/seen/all.json",
    log:
        "logs/{study}/validate/{method}.log",
    benchmark:
        "logs/{study}/validate/{method}.tsv"
    wildcard_constraints:
        method=pattern(validate.HANDOFFS),
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(30),
    params:
        code=plan.code("validate", validate.JUDGES),
        options=plan.options("validate"),
        accept=plan.section("validate", "accept"),
        asked=plan.returned_results_digest,
    script:
        "../scripts/validate.py"


rule validate_here:
    """Judge a part of the candidates by an engine that runs in this process."""
    input:
        index=plan.index,
        shortlists=plan.shortlists,
        structures=plan.structures,
    output:
        outcomes="results/{study}/validate/{method}/outcomes/{part}.json",
        timings="results/{study}/validate/{method}/timings/{part}.parquet",
    log:
        "logs/{study}/validate/{method}/{part}.log",
    benchmark:
        "logs/{study}/validate/{method}/{part}.tsv"
    wildcard_constraints:
        method=pattern(validate.METHODS),
    resources:
        mem_mb=plan.memory(3000),
        runtime=plan.minutes(60),
    params:
        code=plan.code("validate_here", validate.METHODS),
        options=plan.options("validate"),
        accept=plan.section("validate", "accept"),
        add_elements=plan.section("validate", "add_elements"),
        most=plan.most,
        parts=plan.parts,
    script:
        "../scripts/validate_here.py"


rule validate_merge:
    """Join the outcomes of all parts of the candidates to verdicts."""
    input:
        parts=plan.of_parts("results/{study}/validate/{method}/outcomes/{part}.json"),
        times=plan.of_parts("results/{study}/validate/{method}/timings/{part}.parquet"),
    output:
        verdicts_="results/{study}/validate/{method}/verdicts/all.parquet",
        timings="results/{study}/validate/{method}/timings/all.parquet",
    log:
        "logs/{study}/validate/{method}/merge.log",
    benchmark:
        "logs/{study}/validate/{method}/merge.tsv"
    wildcard_constraints:
        method=pattern(validate.METHODS),
    resources:
        mem_mb=plan.memory(1500),
        runtime=plan.minutes(10),
    params:
        code=plan.code("validate_merge"),
        options=plan.options("validate"),
        accept=plan.section("validate", "accept"),
    script:
        "../scripts/validate_merge.py"


rule verdicts:
    """Concatenate the verdicts of all engines."""
    input:
        tables=plan.of_engines("verdicts"),
    output:
        table="results/{study}/tables/verdicts.csv",
    log:
        "logs/{study}/tables/verdicts.log",
    resources:
        mem_mb=plan.memory(1000),
        runtime=plan.minutes(5),
    params:
        code=plan.code("concatenate"),
    script:
        "../scripts/concatenate.py"


# Times differ between runs: they stand apart from the tables, which are byte-identical.
rule verdict_timings:
    """Concatenate the costs of the verdicts, which differ between runs."""
    input:
        tables=plan.of_engines("timings"),
    output:
        table="results/{study}/timings/verdicts.csv",
    log:
        "logs/{study}/timings/verdicts.log",
    resources:
        mem_mb=plan.memory(1000),
        runtime=plan.minutes(5),
    params:
        code=plan.code("concatenate"),
    script:
        "../scripts/concatenate.py"
