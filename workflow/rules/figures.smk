rule figure:
    """Draw a figure of a study."""
    input:
        files=plan.figure_files,
    output:
        figure="results/{study}/figures/{figure}.svg",
    log:
        "logs/{study}/figures/{figure}.log",
    benchmark:
        "logs/{study}/figures/{figure}.tsv"
    wildcard_constraints:
        figure=pattern(FIGURES),
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.figure_code,
        needs=plan.figure_needs,
        name=lambda wildcards: wildcards.figure,
        options=plan.options("figures", "figure"),
    script:
        "../scripts/figure.py"


rule figures:
    """Draw the figures of all studies."""
    input:
        plan.all_pictures(),
