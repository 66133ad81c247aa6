rule learn:
    """Train a method on the items of a study for which the answer is known."""
    input:
        taken=plan.taken,
        answers=plan.answers,
        index=plan.index,
        initial=plan.initial,
    output:
        weights="results/{study}/{stage}/{method}/weights/all.safetensors",
        card="results/{study}/{stage}/{method}/card/all.json",
        history="results/{study}/{stage}/{method}/history/all.parquet",
    log:
        "logs/{study}/{stage}/{method}/learn.log",
    benchmark:
        "logs/{study}/{stage}/{method}/learn.tsv"
    wildcard_constraints:
        stage="|".join(learning.STAGES_THAT_LEARN),
        method=pattern(learning.LEARNERS),
    # The longest job of a study: first, or short ones keep one of its cores until the end.
    priority: 1
    threads: 2
    resources:
        mem_mb=plan.memory(4000, 20),
        runtime=plan.minutes(240, 0.5),
        gpu=plan.training_gpu,
    params:
        code=plan.training_code,
        options=plan.training_options,
        phases=plan.phases,
    script:
        "../scripts/learn.py"
