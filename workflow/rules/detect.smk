rule detect_threshold:
    """Choose the threshold of a detection on the items with split val."""
    input:
        images=plan.images("detect"),
        truth=plan.ingested("truth"),
        index=plan.index,
        code=plan.code("detect_threshold", detect.METHODS),
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
        card=plan.threshold_card,
        code=plan.code("detect", detect.METHODS),
    output:
        detections="results/{study}/detect/{method}/detections/{shard}.parquet",
        missed="results/{study}/detect/{method}/missed/{shard}.parquet",
        detection_scores="results/{study}/detect/{method}/detection_scores/{shard}.parquet",
        rejected="results/{study}/detect/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/detect/{method}/{shard}.log",
    benchmark:
        "logs/{study}/detect/{method}/{shard}.tsv"
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(10, 0.2),
    params:
        options=plan.options("detect"),
        phases=plan.phases,
        scores=plan.section("detect", "scores"),
    script:
        "../scripts/detect.py"
