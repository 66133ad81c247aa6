rule fit:
    """Fit a thermodynamic database to the energies of ordered and quasi-random alloys."""
    input:
        index=plan.index,
        properties=plan.fitted_energies,
    output:
        database="results/{study}/fit/{method}/database/all.tdb",
        cells="results/{study}/fit/{method}/fitted_cells/all.parquet",
        transitions="results/{study}/fit/{method}/transitions/all.parquet",
        samples="results/{study}/fit/{method}/samples/all.json",
    log:
        "logs/{study}/fit/{method}.log",
    benchmark:
        "logs/{study}/fit/{method}.tsv"
    wildcard_constraints:
        method=pattern(fit.METHODS),
    resources:
        mem_mb=plan.memory(1500),
        runtime=plan.minutes(60),
    params:
        code=plan.code("fit", fit.METHODS),
        options=plan.options("fit"),
        reference=plan.fit_reference,
    script:
        "../scripts/fit.py"
