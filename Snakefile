# matlens: table of contents. The stages are in workflow/rules, in build order; the studies are in config/studies.


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/checks.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/connect.smk"
include: "workflow/rules/segment.smk"
include: "workflow/rules/quantify.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/screen.smk"
include: "workflow/rules/handoff.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/calphad.smk"
include: "workflow/rules/acquire.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/export.smk"


onstart:
    calm.write_down(workflow)
    calm.one_timer(workflow.scheduler)


rule all:
    default_target: True
    input:
        [tables(name) for name in STUDIES],
        [pictures(name) for name in STUDIES],
        [records(name) for name in STUDIES],
        [timings(name) for name in STUDIES],
        "results/report.html",
