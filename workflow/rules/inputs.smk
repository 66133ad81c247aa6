# What each stage takes, and what stops a run before its first job.

from matlens.nets import NETS
from matlens.segment import trained


def listing(wildcards):
    """Digest the files behind a study, so that a new or changed file is seen; "" where there are none."""
    if wildcards.method not in ingest.LISTINGS:
        return ""
    digest = registry.load(ingest.LISTINGS, wildcards.method)
    try:
        return registry.call(
            digest, {}, STUDIES[wildcards.study]["ingest"][wildcards.method]
        )
    except (OSError, ValueError) as error:
        place = f"config/studies/{wildcards.study}.yaml: ingest.{wildcards.method}"
        raise WorkflowError(
            f"nothing was started; mend this first:\n{place}: {error}"
        ) from None


def featured(name):
    """Name the segmentation whose measures are the features of a study, and those measures."""
    settings = STUDIES[name]["predict"]
    labels = settings["labels"] or next(iter(STUDIES[name]["segment"]))
    used = {feature.split(".")[0] for feature in settings["features"]}
    return labels, [measure for measure in STUDIES[name]["quantify"] if measure in used]


def trained_here(name):
    """List the segmentation methods that a study trains itself."""
    methods = STUDIES[name]["segment"]
    return [
        method
        for method in methods
        if method in segment.LEARNERS and not methods[method].get("weights")
    ]


def drawable(name):
    """Name everything that a figure of a study can be drawn from, and the file or files behind it."""
    labelled = STUDIES[name]["segment"]

    def each(stage, artefact, methods):
        return {
            method: f"results/{name}/{stage}/{method}/{artefact}/all.parquet"
            for method in methods
        }

    return {
        "index": f"{source(name)}/index/all.parquet",
        "overlays": {
            method: f"results/{name}/segment/{method}/overlays/all.zip"
            for method in labelled
        },
        **{
            measure: each("quantify", measure, labelled)
            for measure in STUDIES[name]["quantify"]
        },
        **(
            {"history": each("segment", "history", trained_here(name))}
            if trained_here(name)
            else {}
        ),
        **(
            {
                table: each("predict", table, predicts(name))
                for table in predict.ARTEFACTS
            }
            if predicts(name)
            else {}
        ),
    }


def check_figures():
    """Stop before the first job where a figure is drawn from what its study does not make."""
    remedies = {
        "history": "train a network in the section 'segment'",
        **dict.fromkeys(predict.ARTEFACTS, "add a section 'predict'"),
    }
    for name, settings in STUDIES.items():
        for figure in settings["figures"]:
            for need in set(FIGURES[figure]["needs"]) - set(drawable(name)):
                raise WorkflowError(
                    "nothing was started; mend this first:\n"
                    f"config/studies/{name}.yaml: figures.{figure}: it is drawn from '{need}'; "
                    + remedies.get(
                        need, f"add '{need}: {{}}' to the section 'quantify'"
                    )
                )


def needs(wildcards):
    """Name the files behind a figure: one, or one for every method."""
    found = drawable(wildcards.study)
    chosen = {need: found[need] for need in FIGURES[wildcards.figure]["needs"]}
    reference = STUDIES[wildcards.study]["figures"][wildcards.figure].get("reference")
    return (
        {**chosen, "published": published(wildcards, *reference.split("/", 1))}
        if reference
        else chosen
    )


def published(wildcards, name, file):
    """Find the file of published curves that a figure is compared with."""
    try:
        return str(catalog.find(name, file))
    except (OSError, ValueError, KeyError) as error:
        place = f"config/studies/{wildcards.study}.yaml: figures.{wildcards.figure}.reference"
        raise WorkflowError(
            f"nothing was started; mend this first:\n{place}: {error}"
        ) from None


def needed(wildcards):
    """List the files behind a figure."""
    return [
        path
        for found in needs(wildcards).values()
        for path in (found.values() if isinstance(found, dict) else [found])
    ]


def pictures(name):
    """List the figures of a study."""
    return expand(
        "results/{study}/figures/{figure}.svg",
        study=name,
        figure=STUDIES[name]["figures"],
    )


def overlay_option(key):
    """Give an option of the overlays, which the report shows even where no figure of them is asked for."""
    schema = study.read_schema("figures.schema.yaml")["properties"]["overlays"]
    default = schema["properties"][key]["default"]
    return (
        lambda wildcards: STUDIES[wildcards.study]["figures"]
        .get("overlays", {})
        .get(key, default)
    )


def named(paths):
    """Name files by what they hold: "results/x/tables/items.csv" is "items"."""
    return {os.path.splitext(os.path.basename(path))[0]: path for path in paths}


def overlaid(name):
    """Name the overlays of a study by method."""
    return {
        method: f"results/{name}/segment/{method}/overlays/all.zip"
        for method in STUDIES[name]["segment"]
    }


def contents():
    """List what the report shows of every study: its words and settings, and the files to show, by name."""
    return {
        name: {
            **{key: settings[key] for key in ("title", "about", "reference")},
            "settings": settings,
            "shards": settings["ingest"]["shards"],
            "methods": [*settings["connect"], *settings["segment"]],
            "main_table": study.main_table(settings).removesuffix(".csv"),
            "tables": named(tables(name)),
            "figures": named(pictures(name)),
            "overlays": overlaid(name),
        }
        for name, settings in STUDIES.items()
    }


def check_weights():
    """Stop before the first job where weights are borrowed from a study that this run does not know."""
    for name, settings in STUDIES.items():
        for method, chosen in settings["segment"].items():
            for option in ("weights", "initial_weights"):
                lender = str((chosen or {}).get(option) or "")
                study_name, _, lent = lender.partition("/")
                known = STUDIES.get(study_name, {}).get("segment", {})
                if lender and not lender.endswith(".safetensors") and lent not in known:
                    raise WorkflowError(
                        "nothing was started; mend this first:\n"
                        f"config/studies/{name}.yaml: segment.{method}.{option}: '{lender}' is not a method of a study of this run; "
                        f"add '{study_name}' to config key 'studies', or name a .safetensors file"
                    )


def weights(wildcards):
    """Name the weights that a method applies; none where it does not learn."""
    if wildcards.method not in segment.LEARNERS:
        return []
    chosen = options("segment")(wildcards)
    return registry.call(trained.weights_file, dict(wildcards.items()), chosen)


def initial(wildcards):
    """Name the weights that training starts from, if any."""
    chosen = options("segment")(wildcards)
    return registry.call(trained.initial_file, dict(wildcards.items()), chosen) or []


def card(wildcards):
    """Name the card of the weights that a method applies."""
    found = weights(wildcards)
    return trained.card_file(found) if found else []


def proposer(wildcards):
    """Name the study and the trained method that proposes what to label next."""
    method = STUDIES[wildcards.study]["propose"]["method"]
    return type(wildcards)(fromdict={"study": wildcards.study, "method": method})


def check_proposals():
    """Stop before the first job where a method that does not learn is asked what to label next."""
    for name, settings in STUDIES.items():
        method = settings.get("propose", {}).get("method")
        able = [each for each in settings["segment"] if each in segment.PROBABILITIES]
        if method and method not in able:
            raise WorkflowError(
                "nothing was started; mend this first:\n"
                f"config/studies/{name}.yaml: propose.method: '{method}' is no trained method of this study; "
                f"{registry.suggest(method, able) if able else 'add one to the section segment'}"
            )


def segment_code(door, table):
    """Name the library files behind a door and its method, its network among them."""
    return lambda wildcards: sources.closure(
        f"scripts/{door}.py",
        *[t[wildcards.method] for t in (table, NETS) if wildcards.method in t],
    )


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
check_weights()
check_proposals()
check_figures()
