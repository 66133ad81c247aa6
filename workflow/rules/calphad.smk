# Equilibria of candidates, diagrams, and the bridge from micrographs. pycalphad's points depend on the seed of Python's hashes:
# common.smk pins it for every job, and doors that were begun without begin again.


rule calphad:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        shortlists=shortlisted,
        code=sources.closure("scripts/calphad.py"),
    output:
        verdicts="results/{study}/validate/calphad/verdicts/{shard}.parquet",
        equilibria="results/{study}/validate/calphad/equilibria/{shard}.parquet",
        timings="results/{study}/validate/calphad/timings/{shard}.parquet",
    log:
        "logs/{study}/validate/calphad/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60, 0.5),
    params:
        most=most_candidates,
        options=equilibria_settings("calphad"),
        databases=database_digest("calphad"),
        shards=lambda wildcards: STUDIES[wildcards.study]["validate"]["jobs"],
    script:
        "../scripts/calphad.py"


rule calphad_merge:
    input:
        tables=candidate_parts(
            "results/{study}/validate/calphad/{artefact}/{shard}.parquet"
        ),
        code=code("collect"),
    output:
        table="results/{study}/validate/calphad/{artefact}/all.parquet",
    log:
        "logs/{study}/validate/calphad/{artefact}.log",
    wildcard_constraints:
        artefact="verdicts|equilibria|timings",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(5, 0.001),
    script:
        "../scripts/collect.py"


rule diagram:
    input:
        code=sources.closure("scripts/diagram.py"),
    output:
        table="results/{study}/validate/calphad/diagram/all.parquet",
    log:
        "logs/{study}/validate/diagram.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        settings=equilibria_settings("diagram"),
        databases=database_digest("diagram"),
    script:
        "../scripts/diagram.py"


rule bridge:
    input:
        measured=measured_fractions,
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        code=sources.closure("scripts/bridge.py"),
    output:
        table="results/{study}/validate/bridge/bridge/all.parquet",
        equilibria="results/{study}/validate/bridge/equilibria/all.parquet",
    log:
        "logs/{study}/validate/bridge.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        methods=lambda wildcards: list(STUDIES[wildcards.study]["segment"]),
        settings=equilibria_settings("bridge"),
        databases=database_digest("bridge"),
    script:
        "../scripts/bridge.py"


rule equilibria_table:
    input:
        tables=lambda wildcards: {
            "equilibria": ["results/{study}/validate/calphad/equilibria/all.parquet"],
            "bridge": ["results/{study}/validate/bridge/bridge/all.parquet"],
        }[wildcards.table],
        code=code("verdicts"),
    output:
        table="results/{study}/tables/{table}.csv",
    log:
        "logs/{study}/tables/{table}.log",
    wildcard_constraints:
        table="equilibria|bridge",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(5, 0.001),
    script:
        "../scripts/verdicts.py"
