# What each stage takes, and what stops a run before its first job.

import shutil
from pathlib import Path

from matlens import io, phase_quantities, tdb
from matlens.nets import GRAPHS, NETS, SITES
from matlens.predict import folds
from matlens.segment import trained
from matlens.validate import handoff


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
    labels = settings["labels"] or next(iter(STUDIES[name]["segment"]), "")
    used = {feature.split(".")[0] for feature in settings["features"]}
    return labels, [measure for measure in STUDIES[name]["quantify"] if measure in used]


def ready(name):
    """Name for every property of a study the weights that are ready, and their cards."""
    found, cards = {}, {}
    for key, lender in STUDIES[name]["predict"]["pretrained"]["weights"].items():
        if lender.endswith(".safetensors"):
            found[key], cards[key] = lender, lender.removesuffix("safetensors") + "json"
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
            card = io.read_json(lender.removesuffix("safetensors") + "json")
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


def check_pretrained():
    """Stop before the first job where weights are not there, or learned on other graphs than those of the study."""
    for name, settings in STUDIES.items():
        wanted = settings.get("predict", {}).get("pretrained", {}).get("weights", {})
        place = f"nothing was started; mend this first:\nconfig/studies/{name}.yaml: predict.pretrained.weights"
        for key, lender in wanted.items():
            lends, _, method = lender.partition("/")
            file = lender.endswith(".safetensors")
            known = os.path.exists(lender) if file else method in GRAPHS
            known &= file or method in STUDIES.get(lends, {}).get("predict", {})
            if not known:
                raise WorkflowError(
                    f"{place}.{key}: '{lender}' is neither a file nor a network of a study of this run; "
                    "name a .safetensors file, or add that study to config key 'studies'"
                )
            card = lender.removesuffix("safetensors") + "json"
            card = card if file else None
            if card and not os.path.exists(card):
                raise WorkflowError(
                    f"{place}.{key}: '{lender}' has no card; put '{card}' beside it, as it was written with the weights"
                )
            if card and io.read_json(card).get("method") not in GRAPHS:
                raise WorkflowError(
                    f"{place}.{key}: '{lender}' is no network for crystals; {registry.suggest('', GRAPHS)}"
                )
        for key, graph in lent(name).items() if wanted else ():
            for connector, learned in graph.items():
                have = settings["connect"].get(connector)
                other = {k: v for k, v in learned.items() if (have or {}).get(k) != v}
                if have is None or other:
                    raise WorkflowError(
                        f"{place}.{key}: these weights learned on graphs of '{connector}' with other options than "
                        f"here, or there are none here; set connect.{connector}: {other}"
                    )


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


def check_screens():
    """Stop before the first job where a shortlist asks for properties that nothing gives."""
    from matlens.predict.properties import RELAXED, STABILITY

    for name, settings in STUDIES.items():
        place = f"nothing was started; mend this first:\nconfig/studies/{name}.yaml: "
        given = settings.get("predict", {})
        if "screen" in settings:
            have = [*given.get("pretrained", {}).get("weights", {})]
            have += [*RELAXED, *STABILITY] if "chgnet" in given else []
            for wish in settings["screen"]["properties"]:
                if wish not in have:
                    raise WorkflowError(
                        f"{place}screen.properties: nothing predicts '{wish}'; {registry.suggest(wish, have)}"
                    )
            if not screens(name):
                raise WorkflowError(
                    f"{place}screen: no method; {registry.suggest('weighted', screen.METHODS)}"
                )


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


def check_networks():
    """Stop before the first job where a network for crystals lacks the graphs that it takes."""
    for name, settings in STUDIES.items():
        for method in settings.get("predict", {}):
            need = GRAPHS.get(method)
            if need and need not in settings["connect"]:
                raise WorkflowError(
                    "nothing was started; mend this first:\n"
                    f"config/studies/{name}.yaml: predict.{method}: it works on the graphs of '{need}'; "
                    f"add '{need}: {{}}' to the section 'connect'"
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
        "sites": {
            method: f"results/{name}/predict/{method}/sites/{used_folds(name)[0]:04d}.parquet"
            for method in networks
            if method in SITES
        },
        "structures": {
            shard: f"{source(name)}/structures/{shard}.zarr.zip"
            for shard in (shards(name) if networks else ())
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


def check_figures():
    """Stop before the first job where a figure is drawn from what its study does not make."""
    remedies = {
        "history": "train a network in the section 'segment' or 'predict'",
        "sites": f"predict with a network that says what it reads from atoms: {', '.join(SITES)}",
        "properties": "add 'pretrained' or 'chgnet' to the section 'predict'",
        "shortlist": "add a section 'screen'",
        "overlays": "add a section 'segment'",
        **dict.fromkeys(predict.ARTEFACTS, "add a section 'predict'"),
        "verdicts": "add a section 'validate' with an engine",
        "equilibria": "add 'calphad' to the section 'validate'",
        "diagram": "add 'diagram' to the section 'validate'",
        "bridge": "add 'bridge' to the section 'validate'",
        "expected": "add 'bridge' to the section 'validate'",
        **dict.fromkeys(acquire.ARTEFACTS, "add a section 'acquire'"),
        "benchmark": "set 'predict.split: official'",
        "ood": "set 'predict.split: ood:LOCO' or another of those",
    }
    for name, settings in STUDIES.items():
        for figure in settings["figures"]:
            made = {need for need, files in drawable(name).items() if files}
            for need in [each for each in FIGURES[figure]["needs"] if each not in made]:
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
    """Stop before the first job where a stage meets items that it does not work on."""
    kinds = {"crystals": ingest.CRYSTALS, "compositions": ingest.COMPOSITIONS}
    works = {"segment": "images", "quantify": "images", "connect": "crystals"}
    for name, settings in STUDIES.items():
        method = study.ingest_method(settings)
        kind = next((kind for kind in kinds if method in kinds[kind]), "images")
        for stage, wanted in works.items():
            if settings.get(stage) and wanted != kind:
                raise WorkflowError(
                    "nothing was started; mend this first:\n"
                    f"config/studies/{name}.yaml: {stage}: '{method}' ingests {kind}, and '{stage}' works on {wanted}; "
                    f"take '{stage}' out, or put it into a study of {wanted}"
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


def candidate_minutes(wildcards):
    """Ask for the time of all candidates of a part."""
    settings = STUDIES[wildcards.study]["validate"]
    each = settings[wildcards.method].get("minutes", 60)
    return 10 + each * -(-(settings["most"] or 100) // settings["jobs"])


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
    found = handoff.digest(Path(folder))
    try:
        seen = io.read_json(
            f"results/{wildcards.study}/validate/{wildcards.method}/seen/all.json"
        )
    except (OSError, ValueError):
        return found
    return seen["asked"] if seen["digest"] == found else found


def check_engines():
    """Stop before the first job where an engine is asked to work on what its study does not have."""
    for name, settings in STUDIES.items():
        asked = settings.get("validate")
        if asked is None or not engines(name):
            continue
        place = f"nothing was started; mend this first:\nconfig/studies/{name}.yaml: validate"
        if asked["candidates"] == "shortlist" and not set(screens(name)) - set(
            screen.CONTROLS
        ):
            raise WorkflowError(
                f"{place}.candidates: this study makes no shortlist; add a section 'screen', or set it to index"
            )
        if asked["structures"] == "relaxed" and "chgnet" not in foretells(name):
            raise WorkflowError(
                f"{place}.structures: nothing relaxes them; add 'chgnet: {{}}' to the section 'predict', or set it to ingest"
            )
        crystal = study.ingest_method(settings) in ingest.CRYSTALS
        for method in engines(name):
            if validate.NEEDS.get(method) == "crystals" and not crystal:
                raise WorkflowError(
                    f"{place}.{method}: it works on crystals, and this study ingests none"
                )


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


def check_databases():
    """Stop before the first job where a thermodynamic database, a phase or what is asked of it is not there."""
    for name, settings in STUDIES.items():
        check_oracle(name, settings.get("acquire", {}))
        asked = {
            f"validate.{part}": settings.get("validate", {}).get(part)
            for part in ("bridge", "calphad", "diagram", "opencalphad", "thermocalc")
        }
        asked["acquire.calphad"] = settings.get("acquire", {}).get("calphad")
        for part, own in asked.items():
            if own is None:
                continue
            try:
                given = own.get("databases", [])
                phases = [phase for one in given for phase in one["phases"]]
                phase_quantities.check(
                    own.get("criteria") or [], phases or own["phases"]
                )
                for one in given:
                    tdb.check(one["database"], one["phases"])
                if (
                    part == "validate.bridge"
                    and "fractions" not in settings["quantify"]
                ):
                    raise ValueError(
                        "it compares measured fractions; add 'fractions: {}' to the section 'quantify'"
                    )
            except ValueError as error:
                raise WorkflowError(
                    f"nothing was started; mend this first:\nconfig/studies/{name}.yaml: {part}: {error}"
                ) from None


def check_oracle(name, loop):
    """Stop before the first job where a loop seeks what nothing can be, or what its oracle is not asked for."""
    place = (
        f"nothing was started; mend this first:\nconfig/studies/{name}.yaml: acquire"
    )
    for quantity, limits in loop.get("constraints", {}).items():
        low, high = limits.get("min", float("-inf")), limits.get("max", float("inf"))
        if low > high:
            raise WorkflowError(
                f"{place}.constraints: '{quantity}' lies between {low:g} and {high:g}, which nothing does; swap them"
            )
    if loop.get("oracle") != "calphad":
        return
    if "calphad" not in loop:
        raise WorkflowError(
            f"{place}.calphad: the oracle has no settings; add databases, temperatures_k and criteria"
        )
    wishes = loop["calphad"]["criteria"] or []
    for wish in wishes:
        if "min" in wish or "max" in wish:
            raise WorkflowError(
                f"{place}.calphad.criteria: the limits of a loop are its constraints; write that of "
                f"'{phase_quantities.key(wish)}' there"
            )
    told = [phase_quantities.key(wish) for wish in wishes]
    for wanted in [*loop["objectives"], *loop["constraints"]]:
        if wanted not in told:
            raise WorkflowError(
                f"{place}: CALPHAD is not asked for '{wanted}'; add it to acquire.calphad.criteria; "
                f"{registry.suggest(wanted, told)}"
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


def check_features():
    """Stop before the first job where a method of tables has no features to learn from."""
    for name, settings in STUDIES.items():
        needy = set(predict.METHODS) - set(predict.CONTROLS)
        method = next((each for each in predicts(name) if each in needy), None)
        if method and not settings["predict"]["features"]:
            raise WorkflowError(
                "nothing was started; mend this first:\n"
                f"config/studies/{name}.yaml: predict.{method}: it learns from features, and 'features' names none; "
                "add some, such as composition.formula"
            )


def check_splits():
    """Stop before the first job where published splits are asked for that are not here."""
    for name, settings in STUDIES.items():
        split = settings.get("predict", {}).get("split", "")
        if split.startswith("ood:") and not catalog.available("ood_splits"):
            advice = catalog.advice(
                "ood_splits", next(iter(catalog.entry("ood_splits")["files"]))
            )
            raise WorkflowError(
                "nothing was started; mend this first:\n"
                f"config/studies/{name}.yaml: predict.split: {advice}"
            )


check_crystals()
check_features()
check_splits()
check_networks()
check_pretrained()
check_screens()
check_engines()
check_databases()
check_weights()
check_proposals()
check_figures()
