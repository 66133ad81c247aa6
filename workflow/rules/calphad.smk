# Equilibria of candidates, diagrams, and the bridge from micrographs. Results of pycalphad depend on the seed of Python's
# hashes: common.smk fixes it for every job, and scripts that were started without it start again.


localrules:
    calphad_merge,
    equilibria_table,


rule calphad:
    """Judge a part of the candidates by their phase equilibria."""
    input:
        index=plan.index,
        shortlists=plan.shortlists,
    output:
        verdicts="results/{study}/validate/{method}/verdicts/{part}.parquet",
        equilibria="results/{study}/validate/{method}/equilibria/{part}.parquet",
        timings="results/{study}/validate/{method}/timings/{part}.parquet",
    log:
        "logs/{study}/validate/{method}/{part}.log",
    benchmark:
        "logs/{study}/validate/{method}/{part}.tsv"
    wildcard_constraints:
        method=pattern(validate.BATCHES),
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(60, 0.5),
    params:
        code=plan.code("calphad", validate.BATCHES),
        most=plan.most,
        options=plan.options("validate"),
        databases=plan.databases(),
        parts=plan.parts,
    script:
        "../scripts/calphad.py"


rule calphad_merge:
    """Concatenate a table of all parts of the candidates."""
    input:
        tables=plan.of_parts(
            "results/{study}/validate/{method}/{output}/{part}.parquet"
        ),
    output:
        table="results/{study}/validate/{method}/{output}/all.parquet",
    log:
        "logs/{study}/validate/{method}/{output}.log",
    wildcard_constraints:
        method=pattern(validate.BATCHES),
        output="verdicts|equilibria|timings",
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("collect"),
    script:
        "../scripts/collect.py"


rule diagram:
    """Find the tie lines of a phase diagram."""
    input:
        fitted=plan.fitted_databases,
        samples=plan.fitted_samples,
    output:
        table="results/{study}/validate/calphad/diagram/all.parquet",
        band="results/{study}/validate/calphad/diagram_band/all.parquet",
    log:
        "logs/{study}/validate/diagram.log",
    benchmark:
        "logs/{study}/validate/diagram.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(60),
    params:
        code=plan.code("diagram"),
        settings=plan.diagram_settings,
        databases=plan.databases("diagram"),
    script:
        "../scripts/diagram.py"


rule bridge:
    """Compare measured phase fractions with those at equilibrium."""
    input:
        measured=plan.fractions,
        index=plan.index,
    output:
        table="results/{study}/validate/bridge/bridge/all.parquet",
        equilibria="results/{study}/validate/bridge/equilibria/all.parquet",
    log:
        "logs/{study}/validate/bridge.log",
    benchmark:
        "logs/{study}/validate/bridge.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(30),
    params:
        code=plan.code("bridge"),
        methods=plan.fraction_methods,
        settings=plan.section("validate", "bridge"),
        databases=plan.databases("bridge"),
    script:
        "../scripts/bridge.py"


rule equilibria_table:
    """Write a table of equilibria that people open."""
    input:
        tables=plan.equilibria,
    output:
        table="results/{study}/tables/{table}.csv",
    log:
        "logs/{study}/tables/{table}.log",
    wildcard_constraints:
        table="equilibria|bridge",
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=plan.code("concatenate"),
    script:
        "../scripts/concatenate.py"
