rule report:
    input:
        tables=[tables(name) for name in STUDIES],
        figures=[pictures(name) for name in STUDIES],
        overlays=[list(overlaid(name).values()) for name in STUDIES],
        parts=expand(
            "workflow/report/{part}",
            part=["report.html.j2", "report.css", "report.js", "captions.yaml"],
        ),
        code=code("report"),
    output:
        page="results/report.html",
    log:
        "logs/report.log",
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        contents=lambda wildcards: contents(),
    script:
        "../scripts/report.py"


onerror:
    # A failed job leaves the rule above without its inputs, and people without a report: show what there is. The page is
    # dated before every input, so that the next run makes it anew.
    try:
        from scripts.report import main as write_report

        write_report(contents(), "results/report.html")
        os.utime("results/report.html", (0, 0))
        print("report of what was made: results/report.html", file=sys.stderr)
    except Exception as error:
        print(f"no report could be made of what was done: {error}", file=sys.stderr)
