rule segment:
    """Label the images of a shard."""
    input:
        images=plan.images("segment"),
        truth=plan.ingested("truth"),
        weights=plan.weights("segment"),
        card=plan.card("segment"),
        detections=plan.painted,
    output:
        labels="results/{study}/segment/{method}/labels/{shard}.zarr.zip",
        rejected="results/{study}/segment/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/segment/{method}/{shard}.log",
    benchmark:
        "logs/{study}/segment/{method}/{shard}.tsv"
    resources:
        mem_mb=plan.memory(2000, 0.5),
        runtime=plan.minutes(10, 0.2),
        gpu=plan.gpus("segment", NETS),
        dask_workers=0,
    params:
        code=plan.trained_code("segment", segment.METHODS),
        options=plan.options("segment"),
        phases=plan.phases,
        listing=plan.labels_listing,
    script:
        "../scripts/segment.py"


rule propose:
    """Rank the images that a person should label next."""
    input:
        images=lambda wildcards: plan.images("segment")(plan.proposer(wildcards)),
        weights=lambda wildcards: plan.weights("segment")(plan.proposer(wildcards)),
        card=lambda wildcards: plan.card("segment")(plan.proposer(wildcards)),
    output:
        table="results/{study}/tables/proposals.csv",
    log:
        "logs/{study}/tables/proposals.log",
    benchmark:
        "logs/{study}/tables/proposals.tsv"
    resources:
        mem_mb=plan.memory(3000, 1),
        runtime=plan.minutes(20, 0.2),
    params:
        code=plan.proposal_code,
        method=lambda wildcards: plan.proposer(wildcards).method,
        options=lambda wildcards: plan.options("segment")(plan.proposer(wildcards)),
        settings=plan.proposal_settings,
        phases=plan.phases,
    script:
        "../scripts/propose.py"


rule overlays:
    """Draw the labels of some items over their images."""
    input:
        plan=plan.plan,
        index=plan.index,
        images=plan.images("segment"),
        truth=plan.ingested("truth"),
        labels=plan.of_shards(
            "results/{study}/segment/{method}/labels/{shard}.zarr.zip"
        ),
        table=plan.extremes,
    output:
        overlays="results/{study}/segment/{method}/overlays/all.zip",
    log:
        "logs/{study}/segment/{method}/overlays.log",
    benchmark:
        "logs/{study}/segment/{method}/overlays.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(15),
    params:
        code=plan.code("overlays"),
        most=plan.overlay_option("items"),
        width_px=plan.overlay_option("width_px"),
        phases=plan.phases,
        learned=plan.learned("restore", "segment"),
    script:
        "../scripts/overlays.py"
