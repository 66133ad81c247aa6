rule generate:
    """Generate images with labels for every condition of a study."""
    input:
        labels=plan.real_labels,
        images=plan.ingested("images"),
        index=plan.index,
        weights=plan.weights("generate"),
        card=plan.card("generate"),
    output:
        made="results/{study}/generate/{method}/images/all.zarr.zip",
        truth="results/{study}/generate/{method}/truth/all.zarr.zip",
        generated="results/{study}/generate/{method}/generated/all.parquet",
        rejected="results/{study}/generate/{method}/rejected/all.parquet",
    log:
        "logs/{study}/generate/{method}/generate.log",
    benchmark:
        "logs/{study}/generate/{method}/generate.tsv"
    wildcard_constraints:
        method=pattern(generate.METHODS),
    resources:
        mem_mb=plan.memory(3000, 1),
        runtime=plan.minutes(60, 0.2),
        gpu=plan.gpus("generate", GENERATORS),
    params:
        code=plan.trained_code("generate", generate.METHODS),
        options=plan.options("generate"),
        settings=plan.chosen("generate", generate.SETTINGS),
        phases=plan.phases,
    script:
        "../scripts/generate.py"


rule generation_quality:
    """Compare generated images with real ones."""
    input:
        labels=plan.real_labels,
        images=plan.ingested("images"),
        index=plan.index,
        made="results/{study}/generate/{method}/images/all.zarr.zip",
        truth="results/{study}/generate/{method}/truth/all.zarr.zip",
        generated="results/{study}/generate/{method}/generated/all.parquet",
        card=plan.card("generate"),
    output:
        generation_quality="results/{study}/generate/{method}/generation_quality/all.parquet",
        samples="results/{study}/generate/{method}/samples/all.zip",
    log:
        "logs/{study}/generate/{method}/quality.log",
    benchmark:
        "logs/{study}/generate/{method}/quality.tsv"
    wildcard_constraints:
        method=pattern(generate.METHODS),
    resources:
        mem_mb=plan.memory(3000, 1),
        runtime=plan.minutes(60, 0.2),
    params:
        code=plan.code("generate_quality"),
        settings=plan.chosen("generate", generate.SETTINGS),
    script:
        "../scripts/generate_quality.py"


rule inverse:
    """Search for the conditions whose images are like held-back ones."""
    input:
        labels=plan.real_labels,
        images=plan.ingested("images"),
        index=plan.index,
        weights=plan.weights("generate"),
        card=plan.card("generate"),
    output:
        latent="results/{study}/generate/{method}/latent/all.parquet",
        picked="results/{study}/generate/{method}/picked/all.parquet",
        inverted="results/{study}/generate/{method}/inverse/all.parquet",
    log:
        "logs/{study}/generate/{method}/inverse.log",
    benchmark:
        "logs/{study}/generate/{method}/inverse.tsv"
    wildcard_constraints:
        method=pattern(generate.CODERS),
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(20, 0.1),
        gpu=plan.gpus("generate", generate.CODERS),
    params:
        code=plan.code("inverse", generate.CODERS),
        options=plan.options("generate"),
        settings=plan.chosen("generate", generate.SETTINGS),
    script:
        "../scripts/inverse.py"
