from matlens.predict import cnn


def image_initial(wildcards):
    """Name the weights that the training of an image method starts from, if any."""
    chosen = options("predict")(wildcards)
    return registry.call(cnn.initial_file, dict(wildcards.items()), chosen) or []


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
        mem_mb=memory(2000, 0.5),
        runtime=minutes(60, 0.05),
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
        initial=image_initial,
        code=code("predict_images", predict.IMAGE_METHODS),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
        weights="results/{study}/predict/{method}/weights/all.safetensors",
        card="results/{study}/predict/{method}/card/all.json",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.IMAGE_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(3000, 1),
        runtime=minutes(120, 0.2),
        gpu=gpus("predict", predict.IMAGE_METHODS),
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
        task=lambda wildcards: STUDIES[wildcards.study]["predict"]["task"],
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
        mem_mb=memory(2000, 0.2, whole=True),
        runtime=minutes(120, 0.1, whole=True),
        gpu=gpus("predict", predict.CRYSTAL_METHODS),
    params:
        options=options("predict"),
        settings=dividing,
        graph=lambda wildcards: connecting(wildcards.study, wildcards.method),
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
        mem_mb=memory(2000, 0.2, whole=True),
        runtime=minutes(20, 0.01, whole=True),
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
        atoms=each_fold("sites"),
        code=code("score_crystals"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        history="results/{study}/predict/{method}/history/all.parquet",
        sites="results/{study}/predict/{method}/sites/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    wildcard_constraints:
        method="|".join(predict.CRYSTAL_METHODS),
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.2, whole=True),
        runtime=minutes(20, 0.001, whole=True),
    params:
        settings=dividing,
    script:
        "../scripts/score_crystals.py"


rule predict_pretrained:
    input:
        stored=lent_graphs,
        weights=lambda wildcards: list(ready(wildcards.study)[0].values()),
        cards=lambda wildcards: list(ready(wildcards.study)[1].values()),
        code=lambda wildcards: sources.closure(
            "scripts/predict_pretrained.py", *predict.CRYSTAL_METHODS.values()
        ),
    output:
        predictions="results/{study}/predict/pretrained/properties/{shard}.parquet",
        rejected="results/{study}/predict/pretrained/rejected/{shard}.parquet",
        sites="results/{study}/predict/pretrained/sites/{shard}.parquet",
    log:
        "logs/{study}/predict/pretrained/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.1),
        runtime=minutes(5, 0.001),
    params:
        names=lambda wildcards: list(ready(wildcards.study)[0]),
        options=lambda wildcards: STUDIES[wildcards.study]["predict"]["pretrained"],
    script:
        "../scripts/predict_pretrained.py"


rule predict_potential:
    input:
        structures=lambda wildcards: f"{source(wildcards.study)}/structures/{wildcards.shard}.zarr.zip",
        code=code("predict_potential"),
    output:
        predictions="results/{study}/predict/chgnet/relaxed/{shard}.parquet",
        relaxed="results/{study}/predict/chgnet/structures/{shard}.zarr.zip",
        rejected="results/{study}/predict/chgnet/rejected/{shard}.parquet",
    log:
        "logs/{study}/predict/chgnet/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2500),
        runtime=minutes(10, 0.5),
    params:
        options=lambda wildcards: STUDIES[wildcards.study]["predict"]["chgnet"],
    script:
        "../scripts/predict_potential.py"


rule hull:
    input:
        tables=lambda wildcards: expand(
            "results/{study}/predict/chgnet/relaxed/{shard}.parquet",
            study=wildcards.study,
            shard=shards(wildcards.study),
        ),
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        elements="data/weights/chgnet_elements.csv",
        code=code("hull"),
    output:
        predictions="results/{study}/predict/chgnet/properties/all.parquet",
        rejected="results/{study}/predict/chgnet/rejected/all.parquet",
    log:
        "logs/{study}/predict/chgnet/hull.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(2500, 0.01),
        runtime=minutes(20, 0.001),
    script:
        "../scripts/hull.py"
