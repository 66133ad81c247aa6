# What stops a run before its first job: settings that are well-formed each by itself, and cannot work together.

from matlens.learn import features
from matlens.thermo import quantities as phase_quantities
from matlens.columns import GROUP, MEANING, SPLIT, TEMPERATURE, TIME
from matlens.predict.properties import RELAXED, STABILITY
from matlens.screen import criteria


def check_kinds(name, settings):
    """Stop where a stage meets items that it does not work on."""
    kinds = {"crystals": ingest.CRYSTALS, "compositions": ingest.COMPOSITIONS}
    works = {"segment": "images", "quantify": "images", "connect": "crystals"}
    method = study.ingest_method(settings)
    kind = next((kind for kind in kinds if method in kinds[kind]), "images")
    for stage, wanted in works.items():
        if settings.get(stage) and wanted != kind:
            stop(
                name,
                stage,
                f"'{method}' ingests {kind}, and '{stage}' works on {wanted}; "
                f"take '{stage}' out, or put it into a study of {wanted}",
            )


def check_items(name, settings):
    """Stop where the settings of the items are such that there can be none."""
    method = study.ingest_method(settings)
    if method in ingest.CHECKS:
        try:
            check = registry.load(ingest.CHECKS, method)
            registry.call(check, {}, settings["ingest"][method])
        except ValueError as error:
            stop(name, f"ingest.{method}", error)


def check_weights(name, settings):
    """Stop where weights are borrowed from a study that this run does not know."""
    for method, chosen in settings["segment"].items():
        for option in ("weights", "initial_weights"):
            lender = str((chosen or {}).get(option) or "")
            lends, _, lent = lender.partition("/")
            known = STUDIES.get(lends, {}).get("segment", {})
            if lender and not lender.endswith(".safetensors") and lent not in known:
                stop(
                    name,
                    f"segment.{method}.{option}",
                    f"'{lender}' is not a method of a study of this run; "
                    f"add '{lends}' to config key 'studies', or name a .safetensors file",
                )


def check_proposals(name, settings):
    """Stop where a method that does not learn is asked what to label next."""
    method = settings.get("propose", {}).get("method")
    able = [each for each in settings["segment"] if each in segment.PROBABILITIES]
    if method and method not in able:
        stop(
            name,
            "propose.method",
            f"'{method}' is no trained method of this study; "
            f"{registry.suggest(method, able) if able else 'add one to the section segment'}",
        )


def check_target(name, settings):
    """Stop where a method is to learn a property that is not named."""
    learned = predicts(name)
    if learned and not settings["predict"]["target"]:
        stop(
            name,
            "predict.target",
            f"'{learned[0]}' learns a property; name its column of the index as 'target'",
        )


def asked_of_index(name, settings):
    """List (key, column) of the columns that a study takes from what its user says of the items."""
    asked, given = [], settings.get("predict", {})
    if predicts(name):
        asked.append(("predict.target", given["target"]))
        asked += [("predict.group", given["group"])] if given["group"] != GROUP else []
        parts = [feature.partition(".") for feature in given["features"]]
        asked += [
            ("predict.features", column)
            for origin, _, column in parts
            if origin in ("index", features.COMPOSITION)
        ]
    for measure in measures(name, quantify.SERIES):
        by = settings["quantify"][measure]["by"]
        asked += [(f"quantify.{measure}", column) for column in (TIME, by) if column]
    return asked


def check_index(name, settings):
    """Stop where a column is asked for that neither the sheet nor the names of the files give."""
    method = study.ingest_method(settings)
    asked = asked_of_index(name, settings)
    if not asked or method not in ingest.NAMED:
        return
    try:
        namer = registry.load(ingest.NAMED, method)
        given = registry.call(namer, {}, settings["ingest"][method])
    except ValueError as error:
        stop(name, f"ingest.{method}", error)
    told = {*given, *MEANING} - ({GROUP, SPLIT, TIME, TEMPERATURE} - {*given})
    for key, column in asked:
        if column not in told:
            have = (
                registry.suggest(column, given)
                if given
                else "neither sheet nor file names give any"
            )
            stop(name, key, f"there is no column '{column}' in the index; {have}")


def check_features(name, settings):
    """Stop where a method of tables has no features to learn from."""
    needy = set(predict.METHODS) - set(predict.CONTROLS)
    method = next((each for each in predicts(name) if each in needy), None)
    if method and not settings["predict"]["features"]:
        stop(
            name,
            f"predict.{method}",
            "it learns from features, and 'features' names none; add some, such as composition.formula",
        )


def check_splits(name, settings):
    """Stop where published splits are asked for that are not here."""
    if settings.get("predict", {}).get("split", "").startswith("ood:"):
        if not catalog.available("ood_splits"):
            first = next(iter(catalog.entry("ood_splits")["files"]))
            stop(name, "predict.split", catalog.advice("ood_splits", first))


def check_folds(name, settings):
    """Stop where folds are asked for that the split does not have."""
    given = settings.get("predict", {})
    if not given.get("use_folds") or "SOAP_LOCO" in given["split"]:
        return  # how many clusters that has depends on the set
    there = folds.count(given["split"], given["folds"])
    wrong = [number for number in given["use_folds"] if number >= there]
    if wrong:
        why = f"there is no fold {wrong[0]}; the split has folds 0 to {there - 1}"
        stop(name, "predict.use_folds", why)


def check_networks(name, settings):
    """Stop where a network for crystals lacks the graphs that it takes."""
    for method in settings.get("predict", {}):
        need = GRAPHS.get(method)
        if need and need not in settings["connect"]:
            stop(
                name,
                f"predict.{method}",
                f"it works on the graphs of '{need}'; add '{need}: {{}}' to the section 'connect'",
            )


def check_pretrained(name, settings):
    """Stop where weights are not there, or learned on other graphs than those of the study."""
    wanted = settings.get("predict", {}).get("pretrained", {}).get("weights", {})
    for key in sorted({*RELAXED, *STABILITY} & set(wanted)):
        if "chgnet" in settings["predict"]:
            stop(
                name,
                f"predict.pretrained.weights.{key}",
                "chgnet gives a property of this name; name this one otherwise: "
                "energies of two kinds are never put together",
            )
    for key, lender in wanted.items():
        check_lender(name, f"predict.pretrained.weights.{key}", lender)
    for key, graph in lent(name).items() if wanted else ():
        for connector, learned in graph.items():
            have = settings["connect"].get(connector)
            other = {k: v for k, v in learned.items() if (have or {}).get(k) != v}
            if have is None or other:
                stop(
                    name,
                    f"predict.pretrained.weights.{key}",
                    f"these weights learned on graphs of '{connector}' with other options than here, "
                    f"or there are none here; set connect.{connector}: {other}",
                )


def check_lender(name, key, lender):
    """Stop where what weights are taken from is no network for crystals, or says nothing of itself."""
    if not lender.endswith(".safetensors"):
        lends, _, method = lender.partition("/")
        known = STUDIES.get(lends, {}).get("predict", {})
        if method not in GRAPHS or method not in known:
            lacking(name, key, lender)
        return
    weights = os.path.expanduser(lender)
    if not os.path.isfile(weights):
        lacking(name, key, lender)
    if why := ready_networks.fault(weights):
        stop(name, key, why)


def lacking(name, key, lender):
    """Stop because of weights that are nowhere."""
    stop(
        name,
        key,
        f"'{lender}' is neither a file nor a network of a study of this run; "
        "name a .safetensors file, or add that study to config key 'studies'",
    )


def check_screens(name, settings):
    """Stop where a shortlist asks for properties that nothing gives."""
    if "screen" not in settings:
        return
    given = settings.get("predict", {})
    have = [*given.get("pretrained", {}).get("weights", {})]
    if "chgnet" in given:
        have += [*RELAXED, *STABILITY]
    for wish in settings["screen"]["properties"]:
        if wish not in have:
            stop(
                name,
                "screen.properties",
                f"nothing predicts '{wish}'; {registry.suggest(wish, have)}",
            )
    if not screens(name):
        stop(
            name, "screen", f"no method; {registry.suggest('weighted', screen.METHODS)}"
        )
    for key, fault in criteria.faults(settings["screen"]):
        stop(name, f"screen.{key}", fault)


def check_engines(name, settings):
    """Stop where an engine is asked to work on what its study does not have."""
    if not engines(name):
        return
    asked = settings["validate"]
    shortlists = set(screens(name)) - set(screen.CONTROLS)
    if asked["candidates"] == "shortlist" and not shortlists:
        stop(
            name,
            "validate.candidates",
            "this study makes no shortlist; add a section 'screen', or set it to index",
        )
    if asked["structures"] == "relaxed" and "chgnet" not in foretells(name):
        stop(
            name,
            "validate.structures",
            "nothing relaxes them; add 'chgnet: {}' to the section 'predict', or set it to ingest",
        )
    crystals = study.ingest_method(settings) in ingest.CRYSTALS
    for method in engines(name):
        if validate.NEEDS.get(method) == "crystals" and not crystals:
            stop(
                name,
                f"validate.{method}",
                "it works on crystals, and this study ingests none",
            )
    for quantity in asked["accept"] if crystals else ():
        if quantity not in validate.QUANTITIES:
            stop(
                name,
                "validate.accept",
                f"no engine computes '{quantity}'; {registry.suggest(quantity, validate.QUANTITIES)}",
            )


def check_databases(name, settings):
    """Stop where a thermodynamic database, a phase or what is asked of it is not there."""
    asked = settings.get("validate", {})
    parts = ("bridge", "calphad", "diagram", "opencalphad", "thermocalc")
    for key, own in {
        **{f"validate.{part}": asked[part] for part in parts if part in asked},
        "acquire.calphad": settings.get("acquire", {}).get("calphad"),
    }.items():
        if own is None:
            continue
        given = own.get("databases", [])
        phases = [phase for one in given for phase in one["phases"]]
        try:
            phase_quantities.check(own.get("criteria") or [], phases or own["phases"])
            for one in given:
                tdb.check(one["database"], one["phases"])
        except ValueError as error:
            stop(name, key, error)
    if "bridge" in asked and "fractions" not in settings["quantify"]:
        stop(
            name,
            "validate.bridge",
            "it compares measured fractions; add 'fractions: {}' to the section 'quantify'",
        )


def check_oracle(name, settings):
    """Stop where a loop seeks what nothing can be, or what its oracle is not asked for."""
    loop = settings.get("acquire", {})
    for quantity, limits in loop.get("constraints", {}).items():
        low, high = limits.get("min", float("-inf")), limits.get("max", float("inf"))
        if low > high:
            stop(
                name,
                "acquire.constraints",
                f"'{quantity}' lies between {low:g} and {high:g}, which nothing does; swap them",
            )
    if loop.get("oracle") != "calphad":
        return
    if "calphad" not in loop:
        stop(
            name,
            "acquire.calphad",
            "the oracle has no settings; add databases, temperatures_k and criteria",
        )
    wishes = loop["calphad"]["criteria"] or []
    for wish in wishes:
        if "min" in wish or "max" in wish:
            stop(
                name,
                "acquire.calphad.criteria",
                f"the limits of a loop are its constraints; write that of '{phase_quantities.key(wish)}' there",
            )
    told = [phase_quantities.key(wish) for wish in wishes]
    for wanted in [*loop["objectives"], *loop["constraints"]]:
        if wanted not in told:
            stop(
                name,
                "acquire",
                f"CALPHAD is not asked for '{wanted}'; "
                f"add it to acquire.calphad.criteria; {registry.suggest(wanted, told)}",
            )


def check_figures(name, settings):
    """Stop where a figure is drawn from what its study does not make."""
    remedies = {
        "history": "train a network in the section 'segment' or 'predict'",
        "sites": f"predict with a network that says what it reads from atoms: {', '.join(SITES)}; "
        "or set 'pretrained.sites: true'",
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
    made = {need for need, files in drawable(name).items() if files}
    for figure in settings["figures"]:
        for need in FIGURES[figure]["needs"]:
            if need not in made:
                stop(
                    name,
                    f"figures.{figure}",
                    f"it is drawn from '{need}'; "
                    + remedies.get(
                        need, f"add '{need}: {{}}' to the section 'quantify'"
                    ),
                )


for name, settings in STUDIES.items():
    for check in (
        check_kinds,
        check_items,
        check_weights,
        check_proposals,
        check_target,
        check_features,
        check_index,
        check_splits,
        check_folds,
        check_networks,
        check_pretrained,
        check_screens,
        check_engines,
        check_databases,
        check_oracle,
        check_figures,
    ):
        check(name, settings)
