# The folders are no outputs, since Snakemake would delete the results in them. The output is the registry with their checksums.


rule handoff:
    """Write a self-contained folder of inputs for every candidate."""
    input:
        index=plan.index,
        shortlists=plan.shortlists,
        structures=plan.structures,
        templates=engines.handoff_templates(),
    output:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
    log:
        "logs/{study}/handoff/{method}.log",
    benchmark:
        "logs/{study}/handoff/{method}.tsv"
    wildcard_constraints:
        method=pattern(validate.HANDOFFS),
    resources:
        mem_mb=plan.memory(1500, 0.01),
        runtime=plan.minutes(20),
    params:
        code=plan.code("handoff", validate.HANDOFFS),
        options=plan.options("validate"),
        most=plan.most,
        accept=plan.section("validate", "accept"),
        add_elements=plan.section("validate", "add_elements"),
    script:
        "../scripts/handoff.py"


rule run_handoffs:
    """Run the folders of a part of the candidates, if their engine is on this machine."""
    input:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
    output:
        runs="results/{study}/handoff/{method}/runs/{part}.parquet",
    log:
        "logs/{study}/handoff/{method}/runs/{part}.log",
    benchmark:
        "logs/{study}/handoff/{method}/runs/{part}.tsv"
    resources:
        mem_mb=plan.memory(4000),
        runtime=plan.candidate_minutes(10),
    params:
        code=plan.code("run_handoffs"),
        options=plan.options("validate"),
        found=plan.program_found,
        parts=plan.parts,
    script:
        "../scripts/run_handoffs.py"
