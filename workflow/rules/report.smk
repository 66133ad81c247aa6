rule report:
    """Write the report of all studies."""
    input:
        tables=plan.all_tables(),
        figures=plan.all_pictures(),
        overlays=plan.all_overlays(),
        parts=multiext(
            "workflow/report/",
            "report.html.j2",
            "report.css",
            "report.js",
            "captions.yaml",
        ),
    output:
        page="results/report.html",
    log:
        "logs/report.log",
    benchmark:
        "logs/report.tsv"
    resources:
        mem_mb=plan.memory(1500),
        runtime=plan.minutes(20),
    params:
        code=plan.code("report"),
        contents=lambda wildcards: plan.contents(),
    script:
        "../scripts/report.py"


onerror:
    # A failed job leaves the rule above without its inputs: write a report of what is finished. The page is dated before
    # every input, so that the next run writes it again.
    try:
        for name in STUDIES:
            for line in rejected_so_far(Path("results", name)):
                print(f"{name}: {line}", file=sys.stderr)
        from scripts.report import main as write_report

        write_report(plan.contents(), "results/report.html")
        os.utime("results/report.html", (0, 0))
        print("report of what was made: results/report.html", file=sys.stderr)
    except Exception as error:
        print(f"no report could be made of what was done: {error}", file=sys.stderr)
