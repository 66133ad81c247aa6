rule predict:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        tables=lambda wildcards: expand(
            "results/{study}/quantify/{labels}/{measure}/all.parquet",
            study=wildcards.study,
            labels=featured(wildcards.study)[0],
            measure=featured(wildcards.study)[1],
        ),
        code=code("predict", predict.METHODS),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        options=options("predict"),
        measures=lambda wildcards: featured(wildcards.study)[1],
        settings=lambda wildcards: {
            key: STUDIES[wildcards.study]["predict"][key]
            for key in ("target", "features", "group", "folds", "seed")
        },
    script:
        "../scripts/predict.py"


rule predict_images:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        images=lambda wildcards: expand(
            f"{source(wildcards.study)}/images/{{shard}}.zarr.zip",
            shard=shards(wildcards.study),
        ),
        code=code("predict_images", predict.IMAGE_METHODS),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.IMAGE_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
    params:
        options=options("predict"),
        settings=lambda wildcards: {
            key: STUDIES[wildcards.study]["predict"][key]
            for key in ("target", "group", "folds", "seed")
        },
    script:
        "../scripts/predict_images.py"
