rule predict:
    """Cross-validate a method of tables, and predict items without a value."""
    input:
        index=plan.learned_index,
        tables=plan.feature_tables,
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(60, 0.05),
    params:
        code=plan.code("predict", predict.METHODS),
        options=plan.options("predict"),
        measures=plan.feature_measures,
        settings=plan.chosen("predict", ("features", *predictions.VALIDATION)),
    script:
        "../scripts/predict.py"


rule predict_images:
    """Cross-validate a method of images."""
    input:
        index=plan.index,
        images=plan.images("predict"),
        initial=plan.image_initial,
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
        weights="results/{study}/predict/{method}/weights/all.safetensors",
        card="results/{study}/predict/{method}/card/all.json",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.IMAGE_METHODS),
    resources:
        mem_mb=plan.memory(3000, 1),
        runtime=plan.minutes(120, 0.2),
        gpu=plan.gpus("predict", predict.IMAGE_METHODS),
    params:
        code=plan.code("predict_images", predict.IMAGE_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.VALIDATION),
    script:
        "../scripts/predict_images.py"


rule predict_compositions:
    """Cross-validate a method of compositions."""
    input:
        index=plan.learned_index,
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.COMPOSITION_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.1),
        runtime=plan.minutes(30, 0.01),
    params:
        code=plan.code("predict_compositions", predict.COMPOSITION_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
        used=plan.section("predict", "use_folds"),
        task=plan.section("predict", "task"),
    script:
        "../scripts/predict_compositions.py"


rule describe_structures:
    """Describe a shard of crystals, once for all methods on features of crystal graphs."""
    input:
        index=plan.index,
        stored=f"results/{{study}}/connect/{predict.DESCRIBED}/graphs/{{shard}}.zarr.zip",
    output:
        features="results/{study}/predict/structures/features/{shard}.parquet",
    log:
        "logs/{study}/predict/structures/features_{shard}.log",
    benchmark:
        "logs/{study}/predict/structures/features_{shard}.tsv"
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("describe_structures"),
    script:
        "../scripts/describe_structures.py"


rule describe_by_potential:
    """Describe a shard of crystals by what a universal potential computes of them."""
    input:
        structures=plan.ingested("structures"),
    output:
        vectors="results/{study}/predict/{method}/vectors/{shard}.parquet",
        undescribed="results/{study}/predict/{method}/undescribed/{shard}.parquet",
    log:
        "logs/{study}/predict/{method}/vectors_{shard}.log",
    benchmark:
        "logs/{study}/predict/{method}/vectors_{shard}.tsv"
    wildcard_constraints:
        method=pattern(predict.POTENTIAL_METHODS),
    resources:
        mem_mb=plan.memory(2500),
        runtime=plan.minutes(10, 0.005),
    params:
        code=plan.potential_code("describe_by_potential"),
    script:
        "../scripts/describe_by_potential.py"


rule predict_structures:
    """Cross-validate a method on features of crystal graphs."""
    input:
        index=plan.learned_index,
        stored=plan.graph_files,
        features=plan.of_shards(
            "results/{study}/predict/structures/features/{shard}.parquet"
        ),
        vectors=plan.by_potential("vectors"),
        undescribed=plan.by_potential("undescribed"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.STRUCTURE_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.2),
        runtime=plan.minutes(30, 0.02),
    params:
        code=plan.code("predict_structures", predict.STRUCTURE_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
        used=plan.section("predict", "use_folds"),
    script:
        "../scripts/predict_structures.py"


rule predict_blend:
    """Blend other methods of a study."""
    input:
        tests=plan.blended("predictions"),
        helds=plan.blended("held_out"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        blend_weights="results/{study}/predict/{method}/blend_weights/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.BLENDS),
    resources:
        mem_mb=plan.memory(2000, 0.05),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("predict_blend", predict.BLENDS),
        names=plan.blended_methods,
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
    script:
        "../scripts/predict_blend.py"


rule learn_crystals:
    """Train a network for crystals on the training items of a fold."""
    input:
        index=plan.learned_index,
        stored=plan.graph_files,
    output:
        weights="results/{study}/predict/{method}/weights/{fold}.safetensors",
        card="results/{study}/predict/{method}/card/{fold}.json",
        history="results/{study}/predict/{method}/history/{fold}.parquet",
        held_out="results/{study}/predict/{method}/held_out/{fold}.parquet",
    log:
        "logs/{study}/predict/{method}/learn_{fold}.log",
    benchmark:
        "logs/{study}/predict/{method}/learn_{fold}.tsv"
    wildcard_constraints:
        method=pattern(predict.CRYSTAL_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.2),
        runtime=plan.minutes(120, 0.1),
        gpu=plan.gpus("predict", predict.CRYSTAL_METHODS),
    params:
        code=plan.code("learn_crystals", predict.CRYSTAL_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
        graph=plan.graph_options,
    script:
        "../scripts/learn_crystals.py"


rule predict_crystals:
    """Predict the test items of a fold by the network of that fold."""
    input:
        index=plan.learned_index,
        stored=plan.graph_files,
        weights=plan.trained("weights", "safetensors"),
        card=plan.trained("card", "json"),
    output:
        predictions="results/{study}/predict/{method}/predictions/{fold}.parquet",
        sites="results/{study}/predict/{method}/sites/{fold}.parquet",
    log:
        "logs/{study}/predict/{method}/{fold}.log",
    benchmark:
        "logs/{study}/predict/{method}/{fold}.tsv"
    wildcard_constraints:
        method=pattern(predict.CRYSTAL_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.2),
        runtime=plan.minutes(20, 0.01),
        gpu=plan.gpus("predict", predict.CRYSTAL_METHODS),
    params:
        code=plan.code("predict_crystals", predict.CRYSTAL_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
        used=plan.section("predict", "use_folds"),
    script:
        "../scripts/predict_crystals.py"


rule score_crystals:
    """Score the predictions of all folds of a network for crystals."""
    input:
        tables=plan.of_folds("predictions"),
        histories=plan.trained("history"),
        atoms=plan.of_folds("sites"),
        helds=plan.trained("held_out"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        history="results/{study}/predict/{method}/history/all.parquet",
        sites="results/{study}/predict/{method}/sites/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.CRYSTAL_METHODS),
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(20, 0.001),
    params:
        code=plan.code("score_crystals"),
        settings=plan.chosen("predict", predictions.SPLIT),
    script:
        "../scripts/score_crystals.py"


rule learn_molecules:
    """Train a network for molecules on the training items of a fold."""
    input:
        index=plan.index,
    output:
        weights="results/{study}/predict/{method}/weights/{fold}.safetensors",
        card="results/{study}/predict/{method}/card/{fold}.json",
        history="results/{study}/predict/{method}/history/{fold}.parquet",
        held_out="results/{study}/predict/{method}/held_out/{fold}.parquet",
    log:
        "logs/{study}/predict/{method}/learn_{fold}.log",
    benchmark:
        "logs/{study}/predict/{method}/learn_{fold}.tsv"
    wildcard_constraints:
        method=pattern(predict.MOLECULE_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.1),
        runtime=plan.minutes(60, 0.05),
        gpu=plan.gpus("predict", predict.MOLECULE_METHODS),
    params:
        code=plan.code("learn_molecules", predict.MOLECULE_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
    script:
        "../scripts/learn_molecules.py"


rule predict_molecules:
    """Predict the test items of a fold by the network of that fold."""
    input:
        index=plan.index,
        weights="results/{study}/predict/{method}/weights/{fold}.safetensors",
        card="results/{study}/predict/{method}/card/{fold}.json",
    output:
        predictions="results/{study}/predict/{method}/predictions/{fold}.parquet",
    log:
        "logs/{study}/predict/{method}/{fold}.log",
    benchmark:
        "logs/{study}/predict/{method}/{fold}.tsv"
    wildcard_constraints:
        method=pattern(predict.MOLECULE_METHODS),
    resources:
        mem_mb=plan.memory(2000, 0.1),
        runtime=plan.minutes(20, 0.005),
        gpu=plan.gpus("predict", predict.MOLECULE_METHODS),
    params:
        code=plan.code("predict_molecules", predict.MOLECULE_METHODS),
        options=plan.options("predict"),
        settings=plan.chosen("predict", predictions.SPLIT),
        used=plan.section("predict", "use_folds"),
    script:
        "../scripts/predict_molecules.py"


rule score_molecules:
    """Score the predictions of all folds of a network for molecules."""
    input:
        tables=plan.of_folds("predictions"),
        histories=plan.of_folds("history"),
        helds=plan.of_folds("held_out"),
    output:
        predictions="results/{study}/predict/{method}/predictions/all.parquet",
        errors="results/{study}/predict/{method}/errors/all.parquet",
        importance="results/{study}/predict/{method}/importance/all.parquet",
        learning_curve="results/{study}/predict/{method}/learning_curve/all.parquet",
        held_out="results/{study}/predict/{method}/held_out/all.parquet",
        history="results/{study}/predict/{method}/history/all.parquet",
    log:
        "logs/{study}/predict/{method}/all.log",
    benchmark:
        "logs/{study}/predict/{method}/all.tsv"
    wildcard_constraints:
        method=pattern(predict.MOLECULE_METHODS),
    resources:
        mem_mb=plan.memory(1500, 0.2),
        runtime=plan.minutes(20, 0.001),
    params:
        code=plan.code("score_crystals"),
        settings=plan.chosen("predict", predictions.SPLIT),
    script:
        "../scripts/score_crystals.py"


rule predict_pretrained:
    """Predict properties of a shard of crystals or molecules by pretrained networks."""
    input:
        stored=plan.pretrained_graph_files,
        weights=plan.pretrained_files(0),
        cards=plan.pretrained_files(1),
    output:
        predictions="results/{study}/predict/{method}/properties/{shard}.parquet",
        rejected="results/{study}/predict/{method}/rejected/{shard}.parquet",
        sites="results/{study}/predict/{method}/sites/{shard}.parquet",
    log:
        "logs/{study}/predict/{method}/{shard}.log",
    benchmark:
        "logs/{study}/predict/{method}/{shard}.tsv"
    wildcard_constraints:
        method=pattern(predict.PRETRAINED),
    resources:
        mem_mb=plan.memory(1500, 0.1),
        runtime=plan.minutes(5, 0.001),
    params:
        code=closure.digest(
            "scripts/predict_pretrained.py",
            *predict.CRYSTAL_METHODS.values(),
            *predict.MOLECULE_METHODS.values(),
        ),
        names=plan.pretrained_names,
        outputs=plan.pretrained_outputs,
        options=plan.options("predict"),
    script:
        "../scripts/predict_pretrained.py"


rule predict_potential:
    """Relax a shard of crystals by a universal potential."""
    input:
        structures=plan.ingested("structures"),
    output:
        predictions="results/{study}/predict/{method}/relaxed/{shard}.parquet",
        relaxed="results/{study}/predict/{method}/structures/{shard}.zarr.zip",
        rejected="results/{study}/predict/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/predict/{method}/{shard}.log",
    benchmark:
        "logs/{study}/predict/{method}/{shard}.tsv"
    wildcard_constraints:
        method=pattern(predict.POTENTIAL_METHODS),
    resources:
        mem_mb=plan.memory(2500),
        runtime=plan.minutes(10, 0.5),
    params:
        code=plan.potential_code("predict_potential"),
        options=plan.options("predict"),
    script:
        "../scripts/predict_potential.py"


rule hull:
    """Compute formation energies and energies above the hull of all crystals of a study."""
    input:
        tables=plan.of_shards(
            "results/{study}/predict/{method}/relaxed/{shard}.parquet"
        ),
        index=plan.index,
        elements=plan.element_energies,
    output:
        predictions="results/{study}/predict/{method}/properties/all.parquet",
        rejected="results/{study}/predict/{method}/rejected/all.parquet",
    log:
        "logs/{study}/predict/{method}/hull.log",
    benchmark:
        "logs/{study}/predict/{method}/hull.tsv"
    wildcard_constraints:
        method=pattern(predict.POTENTIAL_METHODS),
    resources:
        mem_mb=plan.memory(2500, 0.01),
        runtime=plan.minutes(20, 0.001),
    params:
        code=plan.code("hull"),
    script:
        "../scripts/hull.py"


rule targets:
    """Add a result of a potential to the index, so that methods learn from it."""
    input:
        index=plan.index,
        computed="results/{study}/predict/{method}/properties/all.parquet",
    output:
        table="results/{study}/predict/{method}/targets/all.parquet",
    log:
        "logs/{study}/predict/{method}/targets.log",
    benchmark:
        "logs/{study}/predict/{method}/targets.tsv"
    wildcard_constraints:
        method=pattern(predict.POTENTIAL_METHODS),
    resources:
        mem_mb=plan.memory(1500, 0.02),
        runtime=plan.minutes(10, 0.001),
    params:
        code=plan.code("targets"),
        target=plan.section("predict", "target"),
    script:
        "../scripts/targets.py"
