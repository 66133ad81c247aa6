rule validate:
    input:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
        runs=candidate_parts("results/{study}/handoff/{method}/runs/{shard}.parquet"),
        code=code("validate", validate.JUDGES),
    output:
        verdicts_="results/{study}/validate/{method}/verdicts/all.parquet",
        timings="results/{study}/validate/{method}/timings/all.parquet",
        seen="results/{study}/validate/{method}/seen/all.json",
    log:
        "logs/{study}/validate/{method}.log",
    wildcard_constraints:
        method="|".join(validate.HANDOFFS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        options=options("validate"),
        accept=accepting,
        asked=dropped,
    script:
        "../scripts/validate.py"


rule validate_here:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        shortlists=shortlisted,
        structures=candidate_structures,
        code=code("validate_here", validate.METHODS),
    output:
        outcomes="results/{study}/validate/{method}/outcomes/{shard}.json",
        timings="results/{study}/validate/{method}/timings/{shard}.parquet",
    log:
        "logs/{study}/validate/{method}/{shard}.log",
    wildcard_constraints:
        method="|".join(validate.METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        options=options("validate"),
        most=most_candidates,
        shards=lambda wildcards: STUDIES[wildcards.study]["validate"]["jobs"],
    script:
        "../scripts/validate_here.py"


rule validate_merge:
    input:
        parts=candidate_parts("results/{study}/validate/{method}/outcomes/{shard}.json"),
        times=candidate_parts(
            "results/{study}/validate/{method}/timings/{shard}.parquet"
        ),
        code=code("validate_merge"),
    output:
        verdicts_="results/{study}/validate/{method}/verdicts/all.parquet",
        timings="results/{study}/validate/{method}/timings/all.parquet",
    log:
        "logs/{study}/validate/{method}/merge.log",
    wildcard_constraints:
        method="|".join(validate.METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    params:
        options=options("validate"),
        accept=accepting,
    script:
        "../scripts/validate_merge.py"


rule verdicts:
    input:
        tables=of_engines("verdicts"),
        code=code("verdicts"),
    output:
        table="results/{study}/tables/verdicts.csv",
    log:
        "logs/{study}/tables/verdicts.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    script:
        "../scripts/verdicts.py"


# What a run cost is a reading of a clock: it stands apart from the tables, which are the same bytes again.
rule verdict_timings:
    input:
        tables=of_engines("timings"),
        code=code("verdicts"),
    output:
        table="results/{study}/timings/verdicts.csv",
    log:
        "logs/{study}/timings/verdicts.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    script:
        "../scripts/verdicts.py"
