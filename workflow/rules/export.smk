rule export_shard:
    """Export a shard of images with their labels as OME-Zarr folders."""
    input:
        plan=plan.plan,
        images=plan.ingested("images"),
        truth=plan.ingested("truth"),
        labels=plan.labels,
    output:
        manifest="results/{study}/export/manifest/{shard}.json",
    log:
        "logs/{study}/export/{shard}.log",
    benchmark:
        "logs/{study}/export/{shard}.tsv"
    resources:
        mem_mb=plan.memory(2000),
        runtime=plan.minutes(10, 0.1),
    params:
        code=plan.code("export"),
        methods=plan.methods("segment"),
        shards=plan.shard_count,
    script:
        "../scripts/export.py"


rule export:
    """Export the images of all studies for viewers."""
    input:
        plan.exports(),
