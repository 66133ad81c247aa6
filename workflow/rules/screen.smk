rule screen:
    input:
        tables=foretold,
        index=lambda wildcards: f"{source(wildcards.study)}/index/all.parquet",
        reference=known_already,
        code=code("screen", screen.METHODS),
    output:
        ranked="results/{study}/screen/{method}/shortlist/all.parquet",
        excluded="results/{study}/screen/{method}/excluded/all.parquet",
    log:
        "logs/{study}/screen/{method}.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500, 0.01),
        runtime=minutes(10, 0.0001),
    params:
        options=options("screen"),
        settings=screening,
    script:
        "../scripts/screen.py"
