# matlens: table of contents. The stages stand in matlens/plan/stages.py, in build order; the studies in config/studies.


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


for name in stages.STAGES:

    include: f"workflow/rules/{name}.smk"


include: "workflow/rules/learn.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/handoff.smk"
include: "workflow/rules/calphad.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/export.smk"


onstart:
    scheduler.write_down(workflow, STUDIES)
    scheduler.one_timer(workflow.scheduler)
    if notices := plan.notices():
        print(notices, file=sys.stderr)


rule all:
    """Build tables, figures and the report of all studies."""
    default_target: True
    input:
        plan.all_tables(),
        plan.all_pictures(),
        plan.all_targets(),
        "results/report.html",
