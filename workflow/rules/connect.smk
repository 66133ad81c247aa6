def check_crystals():
    """Stop before the first job where crystals meet stages for images, or images those for crystals."""
    for name, settings in STUDIES.items():
        method = study.ingest_method(settings)
        crystals = method in ingest.CRYSTALS
        stages = ("segment", "quantify", "figures") if crystals else ("connect",)
        for stage in stages:
            if settings.get(stage):
                kind, other = (
                    ("crystals", "images") if crystals else ("images", "crystals")
                )
                raise WorkflowError(
                    "nothing was started; mend this first:\n"
                    f"config/studies/{name}.yaml: {stage}: '{method}' ingests {kind}, and '{stage}' works on {other}; "
                    f"take '{stage}' out, or put it into a study of {other}"
                )


check_crystals()


rule connect:
    input:
        structures=lambda wildcards: f"{source(wildcards.study)}/structures/{wildcards.shard}.zarr.zip",
        code=code("connect", connect.METHODS),
    output:
        graphs="results/{study}/connect/{method}/graphs/{shard}.zarr.zip",
        connections="results/{study}/connect/{method}/connections/{shard}.parquet",
        rejected="results/{study}/connect/{method}/rejected/{shard}.parquet",
    log:
        "logs/{study}/connect/{method}/{shard}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        options=options("connect"),
    script:
        "../scripts/connect.py"
