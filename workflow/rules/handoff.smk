# The folders are no outputs: Snakemake would delete what ran in them. The registry is the output, and says what they must hold.


rule handoff:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        shortlists=shortlisted,
        structures=candidate_structures,
        templates=handoff_templates,
        code=code("handoff", validate.HANDOFFS),
    output:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
    log:
        "logs/{study}/handoff/{method}.log",
    wildcard_constraints:
        method="|".join(validate.HANDOFFS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.01, whole=True),
        runtime=minutes(20),
    params:
        options=options("validate"),
        most=most_candidates,
        accept=accepting,
    script:
        "../scripts/handoff.py"


rule run_handoffs:
    input:
        handoffs="results/{study}/handoff/{method}/handoffs/all.parquet",
        code=code("run_handoffs"),
    output:
        runs="results/{study}/handoff/{method}/runs/{shard}.parquet",
    log:
        "logs/{study}/handoff/{method}/runs/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=candidate_minutes(10),
    params:
        options=options("validate"),
        found=engine_found,
        shards=lambda wildcards: STUDIES[wildcards.study]["validate"]["jobs"],
    script:
        "../scripts/run_handoffs.py"
