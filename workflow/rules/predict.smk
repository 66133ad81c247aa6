# The settings of the cross-validation of tables and images.
VALIDATION = (
    "target",
    "group",
    "folds",
    "seed",
    "split",
    "use_folds",
    "allow_incomplete",
    "task",
    "shuffles",
    "curve_steps",
)


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
            for key in ("features", *VALIDATION)
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
            key: STUDIES[wildcards.study]["predict"][key] for key in VALIDATION
        },
    script:
        "../scripts/predict_images.py"


rule predict_compositions:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        code=code("predict_compositions", predict.COMPOSITION_METHODS),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.COMPOSITION_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000, 0.1),
        runtime=minutes(30, 0.01),
    params:
        options=options("predict"),
        settings=dividing,
        used=lambda wildcards: STUDIES[wildcards.study]["predict"]["use_folds"],
    script:
        "../scripts/predict_compositions.py"


rule learn_crystals:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        stored=connected,
        code=crystal_code("learn_crystals"),
    output:
        weights="results/{study}/predict/{method}/weights/{shard}.safetensors",
        card="results/{study}/predict/{method}/card/{shard}.json",
        history="results/{study}/predict/{method}/history/{shard}.parquet",
    log:
        "logs/{study}/predict/{method}/learn_{shard}.log",
    wildcard_constraints:
        method="|".join(predict.CRYSTAL_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000, 0.2),
        runtime=minutes(120, 0.1),
        gpu=gpus("predict", predict.CRYSTAL_METHODS),
    params:
        options=options("predict"),
        settings=dividing,
    script:
        "../scripts/learn_crystals.py"


rule predict_crystals:
    input:
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        stored=connected,
        weights="results/{study}/predict/{method}/weights/{shard}.safetensors",
        card="results/{study}/predict/{method}/card/{shard}.json",
        code=crystal_code("predict_crystals"),
    output:
        predictions="results/{study}/predict/{method}/predictions/{shard}.parquet",
        sites="results/{study}/predict/{method}/sites/{shard}.parquet",
    log:
        "logs/{study}/predict/{method}/{shard}.log",
    wildcard_constraints:
        method="|".join(predict.CRYSTAL_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2000, 0.2),
        runtime=minutes(20, 0.01),
        gpu=gpus("predict", predict.CRYSTAL_METHODS),
    params:
        options=options("predict"),
        settings=dividing,
    script:
        "../scripts/predict_crystals.py"


rule score_crystals:
    input:
        tables=each_fold("predictions"),
        histories=each_fold("history"),
        code=code("score_crystals"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        history="results/{study}/predict/{method}/history/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.CRYSTAL_METHODS),
    conda:
        "../../envs/core.yaml"
    params:
        settings=dividing,
    script:
        "../scripts/score_crystals.py"
