rule track:
    """Link the detections of a study over time."""
    input:
        detections=plan.detections,
        index=plan.index,
        images=plan.ingested("images"),
        truth=plan.ingested("truth"),
    output:
        tracks="results/{study}/track/{method}/tracks/all.parquet",
        track_scores="results/{study}/track/{method}/track_scores/all.parquet",
        lifetimes="results/{study}/track/{method}/lifetimes/all.parquet",
        motion="results/{study}/track/{method}/motion/all.parquet",
        paths="results/{study}/track/{method}/paths/all.parquet",
        kinetics="results/{study}/track/{method}/kinetics/all.parquet",
        frames="results/{study}/track/{method}/frames/all.zip",
        rejected="results/{study}/track/{method}/rejected/all.parquet",
    log:
        "logs/{study}/track/{method}/track.log",
    benchmark:
        "logs/{study}/track/{method}/track.tsv"
    resources:
        mem_mb=plan.memory(2000, 2),
        runtime=plan.minutes(20, 0.5),
    params:
        code=plan.code("track", track.METHODS),
        options=plan.options("track"),
        detected_by=plan.detected_by,
        settings=plan.chosen(
            "track",
            ("frame_by", "border_px", "frame_s", "start_s", "size_classes", "scores"),
        ),
    script:
        "../scripts/track.py"
