rule detect_threshold:
    """Choose the threshold of a detection on the items with split val."""
    input:
        images=plan.images("detect"),
        truth=plan.ingested("truth"),
        index=plan.index,
    output:
        card="results/{study}/detect/{method}/card/all.json",
    log:
        "logs/{study}/detect/{method}/threshold.log",
    benchmark:
        "logs/{study}/detect/{method}/threshold.tsv"
    wildcard_constraints:
        method=pattern(detect.THRESHOLDS),
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(20, 0.2),
    params:
        code=plan.code("detect_threshold", detect.METHODS),
        options=plan.options("detect"),
        gate_px=plan.section("detect", "scores", "gate_px"),
    script:
        "../scripts/detect_threshold.py"


rule detect:
    """Detect objects in the items of a shard."""
    input:
        images=plan.images("detect"),
        truth=plan.ingested("truth"),
        index=plan.ingested("index"),
        weights=plan.weights("detect"),
        card=plan.detection_card,
    output:
        detections="results/{study}/detect/{method}/detections/{shard}.parquet",
        missed="results/{study}/detect/{method}/missed/{shard}.parquet",
        detection_scores="results/{study}/detect/{method}/detection_scores/{shard}.parquet",
        ranked="results/{study}/detect/{method}/ranked/{shard}.parquet",
        rejected="results/{study}/detect/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/detect/{method}/{shard}.log",
    benchmark:
        "logs/{study}/detect/{method}/{shard}.tsv"
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(10, 0.2),
        gpu=plan.gpus("detect", detect.LEARNERS),
    params:
        code=plan.trained_code("detect", detect.METHODS),
        options=plan.options("detect"),
        phases=plan.phases,
        scores=plan.section("detect", "scores"),
    script:
        "../scripts/detect.py"


rule detect_summary:
    """Pool the scores of a detection over images, and its precision and recall at every threshold."""
    input:
        scores="results/{study}/detect/{method}/detection_scores/all.parquet",
        ranked="results/{study}/detect/{method}/ranked/all.parquet",
    output:
        detection_summary="results/{study}/detect/{method}/detection_summary/all.parquet",
        precision_recall="results/{study}/detect/{method}/precision_recall/all.parquet",
    log:
        "logs/{study}/detect/{method}/summary.log",
    benchmark:
        "logs/{study}/detect/{method}/summary.tsv"
    resources:
        mem_mb=plan.memory(1000, 0.1),
        runtime=plan.minutes(5, 0.01),
    params:
        code=plan.code("detect_summary"),
    script:
        "../scripts/detect_summary.py"


rule detection_pictures:
    """Keep a picture of the first frame of some items, to draw detections over it."""
    input:
        index=plan.index,
        images=plan.images("detect"),
    output:
        pictures_zip="results/{study}/detect/{method}/pictures/all.zip",
    log:
        "logs/{study}/detect/{method}/pictures.log",
    benchmark:
        "logs/{study}/detect/{method}/pictures.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(10),
    params:
        code=plan.code("detection_pictures"),
    script:
        "../scripts/detection_pictures.py"
