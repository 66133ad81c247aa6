# What each stage takes.

import shutil
from pathlib import Path

from matlens.store import io
from matlens.thermo import database as tdb
from matlens.nets import GRAPHS, NETS
from matlens.predict import folds
from matlens.predict import ready as ready_networks
from matlens.screen import reference
from matlens.segment import trained
from matlens.validate import returned


def listing(wildcards):
    """Digest the files behind a study, so that a new or changed file is seen; "" where there are none."""
    if wildcards.method not in ingest.LISTINGS:
        return ""
    digest = registry.load(ingest.LISTINGS, wildcards.method)
    try:
        return registry.call(
            digest, {}, STUDIES[wildcards.study]["ingest"][wildcards.method]
        )
    except PermissionError as error:
        why = f"{error.filename}: no permission to read it; change its access rights, or name another place"
        stop(wildcards.study, f"ingest.{wildcards.method}", why)
    except (OSError, ValueError) as error:
        stop(wildcards.study, f"ingest.{wildcards.method}", error)


def featured(name):
    """Name the segmentation whose measures are the features of a study, and those measures."""
    settings = STUDIES[name]["predict"]
    labels = settings["labels"] or next(iter(STUDIES[name]["segment"]), "")
    used = {feature.split(".")[0] for feature in settings["features"]}
    return labels, [measure for measure in STUDIES[name]["quantify"] if measure in used]


def ready(name):
    """Name for every property of a study the weights that are ready, and their cards."""
    found, cards = {}, {}
    for key, lender in STUDIES[name]["predict"]["pretrained"]["weights"].items():
        if lender.endswith(".safetensors"):
            found[key] = os.path.expanduser(lender)
            cards[key] = ready_networks.card_file(found[key])
        else:
            lends, _, method = lender.partition("/")
            folder = f"results/{lends}/predict/{method}"
            found[key] = f"{folder}/weights/0000.safetensors"
            cards[key] = f"{folder}/card/0000.json"
    return found, cards


def lent(name):
    """Name for every property of a study the graphs that its weights learned on: a way of connecting and its options.

    The options are empty where a card does not say them.
    """
    found = {}
    for key, lender in STUDIES[name]["predict"]["pretrained"]["weights"].items():
        if lender.endswith(".safetensors"):
            card = io.read_json(ready_networks.card_file(os.path.expanduser(lender)))
            found[key] = card.get("graph", {GRAPHS[card["method"]]: {}})
        else:
            found[key] = connecting(*lender.split("/"))
    return found


def lent_graphs(wildcards):
    """List for every property of a study the graphs of a shard that its weights take."""
    return [
        f"results/{wildcards.study}/connect/{next(iter(graph))}/graphs/{wildcards.shard}.zarr.zip"
        for graph in lent(wildcards.study).values()
    ]


def foretold(wildcards):
    """List the tables of the properties that a shortlist is made from."""
    return expand(
        "results/{study}/predict/{method}/properties/all.parquet",
        study=wildcards.study,
        method=foretells(wildcards.study),
    )


def screening(wildcards):
    """Give the settings of every shortlist of a study, with what a property leaves out filled in."""
    settings = STUDIES[wildcards.study]["screen"]
    plain = {"target": None, "weight": 1.0, "min": None, "max": None}
    chosen = {k: v for k, v in settings.items() if k not in screen.METHODS}
    wishes = {name: {**plain, **wish} for name, wish in settings["properties"].items()}
    return {**chosen, "properties": wishes}


def known_already(wildcards):
    """Name the table of what is known already, so that a changed one is seen; none where there is none."""
    file = reference.file_of(STUDIES[wildcards.study]["screen"]["reference"])
    return [] if file is None else str(file)


def connected(wildcards):
    """List the graphs that a network for crystals takes."""
    return expand(
        "results/{study}/connect/{method}/graphs/{shard}.zarr.zip",
        study=wildcards.study,
        method=GRAPHS[wildcards.method],
        shard=shards(wildcards.study),
    )


def connecting(name, method):
    """Name the way of connecting whose graphs a network takes, with its options in a study."""
    return {GRAPHS[method]: STUDIES[name]["connect"][GRAPHS[method]]}


def crystal_code(door):
    """Name the library files behind a door and a network for crystals."""
    return lambda wildcards: sources.closure(
        f"scripts/{door}.py", predict.CRYSTAL_METHODS[wildcards.method]
    )


def dividing(wildcards):
    """Give the settings that say what is predicted, and how the crystals are divided into folds."""
    settings = STUDIES[wildcards.study]["predict"]
    return {
        key: settings[key]
        for key in ("target", "split", "folds", "seed", "group", "allow_incomplete")
    }


def used_folds(name):
    """List the numbers of the folds that networks for crystals are trained on."""
    settings = STUDIES[name]["predict"]
    every = range(folds.count(settings["split"], settings["folds"]))
    return every if settings["use_folds"] is None else settings["use_folds"]


def each_fold(artefact):
    """List the files of the folds that a study asks for."""
    return lambda wildcards: expand(
        "results/{study}/predict/{method}/{artefact}/{fold}.parquet",
        **wildcards,
        artefact=artefact,
        fold=[f"{fold:04d}" for fold in used_folds(wildcards.study)],
    )


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
    networks = [each for each in predicts(name) if each in predict.CRYSTAL_METHODS]

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
        **{table: f"results/{name}/tables/{table}.csv" for table in compared(name)},
        **{table: each("screen", table, screens(name)) for table in screen.ARTEFACTS},
        "properties": each("predict", "properties", foretells(name)),
        **(
            {"verdicts": each("validate", "verdicts", engines(name))}
            if engines(name)
            else {}
        ),
        **(
            {"equilibria": each("validate", "equilibria", ["calphad"])}
            if "calphad" in engines(name)
            else {}
        ),
        **(
            {"diagram": each("validate", "diagram", ["calphad"])}
            if "diagram" in STUDIES[name].get("validate", {})
            else {}
        ),
        **(
            {
                "bridge": f"results/{name}/validate/bridge/bridge/all.parquet",
                "expected": f"results/{name}/validate/bridge/equilibria/all.parquet",
            }
            if "bridge" in STUDIES[name].get("validate", {})
            else {}
        ),
        **(
            {
                table: each("acquire", table, acquires(name))
                for table in acquire.ARTEFACTS
            }
            if acquires(name)
            else {}
        ),
        "history": {
            **each("segment", "history", trained_here(name)),
            **each("predict", "history", networks),
        },
        "sites": each("predict", "sites", atomic(name)),
        "structures": {
            shard: f"{source(name)}/structures/{shard}.zarr.zip"
            for shard in (shards(name) if networks or atomic(name) else ())
        },
        **(
            {
                table: each("predict", table, predicts(name))
                for table in predict.ARTEFACTS
            }
            if predicts(name)
            else {}
        ),
    }


def predicted(wildcards):
    """List the predictions of every method of a study."""
    return expand(
        "results/{study}/predict/{method}/predictions/all.parquet",
        study=wildcards.study,
        method=predicts(wildcards.study),
    )


def recorded():
    """Find the scores by fold of published models; none where they are not here."""
    name, file = "matbench_scores", "fold_scores.json.gz"
    return str(catalog.find(name, file)) if catalog.available(name) else []


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
        stop(wildcards.study, f"figures.{wildcards.figure}.reference", error)


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


def extremes(name):
    """Name the table whose lowest and highest items the overlays show; none where a study measures nothing."""
    main = study.main_table(STUDIES[name]).removesuffix(".csv")
    method = next(iter(STUDIES[name]["segment"]))
    chosen = [main] if main in STUDIES[name]["quantify"] else []
    return [
        f"results/{name}/quantify/{method}/{measure}/all.parquet"
        for measure in chosen
        if measure in quantify.METHODS
    ]


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


def segment_code(door, table):
    """Name the library files behind a door and its method, its network among them."""
    return lambda wildcards: sources.closure(
        f"scripts/{door}.py",
        *[t[wildcards.method] for t in (table, NETS) if wildcards.method in t],
    )


def shortlisted(wildcards):
    """List the shortlists that candidates are taken from; none where they are items of the index."""
    name = wildcards.study
    if STUDIES[name]["validate"]["candidates"] != "shortlist":
        return []
    return [
        f"results/{name}/screen/{method}/shortlist/all.parquet"
        for method in screens(name)
        if method not in screen.CONTROLS
    ]


def most_candidates(wildcards):
    """Give the most candidates of each shortlist, or of the index."""
    return STUDIES[wildcards.study]["validate"]["most"]


def relaxes(name):
    """Tell whether the structures of the candidates of a study are those that a potential relaxed."""
    settings = STUDIES[name]["validate"]["structures"]
    return settings == "relaxed" or (settings == "auto" and "chgnet" in foretells(name))


def candidate_structures(wildcards):
    """List the structures of the candidates of a study; none where they are compositions."""
    name = wildcards.study
    if study.ingest_method(STUDIES[name]) not in ingest.CRYSTALS:
        return []
    folder = f"results/{name}/predict/chgnet" if relaxes(name) else source(name)
    return [f"{folder}/structures/{shard}.zarr.zip" for shard in shards(name)]


def candidate_parts(path):
    """List the files of all parts that the candidates of a study are divided into."""
    return lambda wildcards: expand(
        path,
        **wildcards,
        shard=[
            f"{part:04d}"
            for part in range(STUDIES[wildcards.study]["validate"]["jobs"])
        ],
    )


def of_engines(artefact):
    """List an artefact of every engine that judges the candidates of a study."""
    return lambda wildcards: expand(
        "results/{study}/validate/{method}/{artefact}/all.parquet",
        study=wildcards.study,
        method=engines(wildcards.study),
        artefact=artefact,
    )


def candidate_minutes(base):
    """Ask for so many minutes, and for those of every candidate of a part, as `minutes` does."""

    def asked(wildcards, attempt):
        settings = STUDIES[wildcards.study]["validate"]
        each = settings[wildcards.method].get("minutes", 60)
        candidates = budget.items_of(settings["most"] or 100, settings["jobs"])
        return budget.minutes(base, each, candidates, attempt)

    return asked


def engine_found(wildcards):
    """Tell whether the program of an engine is on this machine."""
    program = validate.PROGRAMS.get(wildcards.method)
    return bool(program and shutil.which(program))


def handoff_templates(wildcards):
    """List the scripts that the folders of an engine are written from."""
    folder = "workflow/matlens/validate/templates"
    return sorted(f"{folder}/{name}" for name in os.listdir(folder) if "." in name)


def accepting(wildcards):
    """Give the limits that the values of an accepted candidate keep."""
    return STUDIES[wildcards.study]["validate"]["accept"]


def dropped(wildcards):
    """Digest the results that were dropped into the folders of an engine since they were last judged.

    What the workflow itself has run is no news: while results are those that were seen, this is what it was then.
    """
    folder = f"results/{wildcards.study}/handoff/{wildcards.method}"
    found = returned.digest(Path(folder))
    try:
        seen = io.read_json(
            f"results/{wildcards.study}/validate/{wildcards.method}/seen/all.json"
        )
    except (OSError, ValueError):
        return found
    return seen["asked"] if seen["digest"] == found else found


def equilibria_settings(part):
    """Give the settings of a part of the section validate that works on thermodynamic databases."""
    return lambda wildcards: STUDIES[wildcards.study]["validate"][part]


def database_digest(part):
    """Digest the databases of such a part, so that a changed one is seen."""
    return lambda wildcards: tdb.digest(
        [
            one["database"]
            for one in STUDIES[wildcards.study]["validate"][part]["databases"]
        ]
    )


def measured_fractions(wildcards):
    """List the measured phase fractions of a study."""
    return expand(
        "results/{study}/quantify/{method}/fractions/all.parquet",
        study=wildcards.study,
        method=STUDIES[wildcards.study]["segment"],
    )


def earlier(artefact):
    """List the files of the rounds before that of a job."""
    folder = "results/{study}/acquire/{method}/{artefact}/{number:04d}.parquet"
    return lambda wildcards: [
        folder.format(**wildcards, artefact=artefact, number=number)
        for number in range(1, int(wildcards.shard))
    ]


def every_round(artefact):
    """List the files of all rounds of a method."""
    return lambda wildcards: expand(
        "results/{study}/acquire/{method}/{artefact}/{number:04d}.parquet",
        **wildcards,
        artefact=artefact,
        number=range(1, STUDIES[wildcards.study]["acquire"]["rounds"] + 1),
    )


def asking(wildcards):
    """Give the settings of every method of a loop; how many rounds there are is no setting of a round."""
    settings = STUDIES[wildcards.study]["acquire"]
    kept = {
        key: value
        for key, value in settings.items()
        if key not in {*acquire.METHODS, "rounds", "calphad"}
    }
    return {**kept, "sure": settings.get("calphad", {}).get("sure", 0.0)}


def judging(wildcards):
    """Give the settings of the oracle of a loop."""
    settings = STUDIES[wildcards.study]["acquire"]
    return {
        "names": list({**settings["objectives"], **settings["constraints"]}),
        "calphad": settings.get("calphad"),
    }


def oracle_databases(wildcards):
    """Digest the databases of the oracle of a loop, so that a changed one is seen; "" where it has none."""
    settings = STUDIES[wildcards.study]["acquire"].get("calphad", {})
    return tdb.digest([one["database"] for one in settings.get("databases", [])])
