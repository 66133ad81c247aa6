"""Refusals of predictions and rankings that cannot be made; see `checks`."""

import os
from collections.abc import Mapping

from matlens import predict, registry
from matlens.learn import features
from matlens.meanings import MEANING
from matlens.nets import GRAPHS, MOLECULE_NETS
from matlens.plan import outputs
from matlens.plan.predictions import (
    Predictions,
    blended_methods,
    card_of,
    feature_fields,
    feature_labels,
    feature_measures,
    learned,
    of_molecules,
    parted,
    potentials,
)
from matlens.plan.shared_network_checks import check_learned_in
from matlens.plan.structure import Reasons
from matlens.predict import folds, heads, hits
from matlens.predict import pretrained_check as pretrained
from matlens.predict.properties import RELAXED, STABILITY
from matlens.store import catalog

WORK_ON = {
    "images": "images",
    "molecules": "molecules",
    "crystals": "crystals",
    "structures": "crystals",
    "potentials": "crystals",
}


def check_target(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a method that learns a property without the name of one."""
    methods = learned(studies[name])
    if methods and not studies[name]["predict"]["target"]:
        yield (
            ["predict", "target"],
            f"'{methods[0]}' learns a property; name its column of the index as 'target'",
        )


def check_target_from(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a target from a potential that the study does not apply, or that gives no such property."""
    settings = studies[name]
    asked = settings.get("predict") or {}
    potential, given = asked.get("target_from"), asked.get("target")
    if not potential:
        return
    place = ["predict", "target_from"]
    if potential not in (known := potentials(settings)):
        found = registry.suggest(potential, known) if known else "add 'chgnet: {}' to the section 'predict'"
        yield place, f"no potential '{potential}' in the section 'predict'; {found}"
    if given and given not in (every := [*RELAXED, *STABILITY]):
        yield ["predict", "target"], f"a potential gives no '{given}'; {registry.suggest(given, every)}"


def check_kinds(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse methods of images, molecules or crystals in a study that ingests none."""
    for family, kind in WORK_ON.items():
        if not outputs.methods(studies[name], "ingest", kind):
            for method in outputs.methods(studies[name], "predict", family):
                yield ["predict", method], f"it works on {kind}, and this study ingests none"


def check_features(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a method of tables without features."""
    methods = outputs.methods(studies[name], "predict", "tables")
    needy = [each for each in methods if registry.method_of(each) not in predict.CONTROLS]
    if needy and not studies[name]["predict"]["features"]:
        yield (
            ["predict", needy[0]],
            "it learns from features, and 'features' names none; add some, such as composition.formula",
        )


def check_target_as_feature(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse features of which one is the property to learn."""
    asked = studies[name].get("predict") or {}
    target = asked.get("target")
    if target and f"index.{target}" in asked["features"]:
        yield ["predict", "features"], f"'index.{target}' is what has to be predicted; remove it from the features"


def check_feature_fields(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse effective values as features in a study without fields."""
    settings = studies[name]
    for feature in settings["predict"]["features"] if learned(settings) else ():
        if features.origin(feature, ())[0] == features.FIELDS and not feature_fields(settings):
            yield ["predict", "features"], f"'{feature}' is an effective value of 'fields'; add the section 'fields'"


def check_feature_columns(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse features that are a column of no table of measures."""
    settings = studies[name]
    for feature in settings["predict"]["features"] if learned(settings) else ():
        measure, column = features.origin(feature, settings.get("quantify") or {})
        column = column.partition("@")[0]
        if measure in (settings.get("quantify") or {}) and not {column, column.replace("_um", "_px")} & {*MEANING}:
            near = registry.suggest(column, MEANING).partition("allowed:")[0]
            yield ["predict", "features"], f"'{feature}': no measure has a column '{column}'; {near or 'correct it'}"


def check_labels(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse features of measures that are not made of one segmentation."""
    settings = studies[name]
    labels = feature_labels(settings) if learned(settings) else ""
    for measure in feature_measures(settings) if learned(settings) else ():
        made_of = outputs.measured(settings, "quantify", measure)
        if labels not in made_of:
            why = f"'{measure}' is measured of {', '.join(made_of)}" + (f", not of '{labels}'" if labels else "")
            yield ["predict", "features"], f"{why}; take features of one segmentation, and name it as 'labels'"


def check_splits(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse published splits whose files are absent."""
    if studies[name].get("predict", {}).get("split", "").startswith("ood:") and not catalog.available("ood_splits"):
        first = next(iter(catalog.entry("ood_splits")["files"]))
        yield ["predict", "split"], catalog.advice("ood_splits", first)


def check_folds(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse folds that the split does not have."""
    given = studies[name].get("predict", {})
    if not given.get("use_folds") or "SOAP_LOCO" in given["split"]:
        return  # the number of its clusters depends on the data set
    there = folds.count(given["split"], given["folds"])
    wrong = [number for number in given["use_folds"] if number >= there]
    if wrong:
        yield ["predict", "use_folds"], f"there is no fold {wrong[0]}; the split has folds 0 to {there - 1}"


def check_networks(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a network for crystals without the graphs that it takes."""
    for method in studies[name].get("predict", {}):
        need = predict.GRAPHS.get(registry.method_of(method))
        if need and need not in studies[name]["connect"]:
            yield (
                ["predict", method],
                f"it works on the graphs of '{need}'; add '{need}: {{}}' to the section 'connect'",
            )


def check_ensembles(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse an ensemble of one whose members leave out a part each, and a further target that is the target."""
    settings = studies[name].get("predict", {})
    for method in outputs.methods(studies[name], "predict", "crystals"):
        options = settings[method]
        if options["leave_out"] != "none" and options["ensemble"] < 2:
            yield (
                ["predict", method, "leave_out"],
                f"each member leaves out another part, and the ensemble has {options['ensemble']}; set ensemble: 5",
            )
        if settings["target"] in options["also"]:
            yield ["predict", method, "also"], f"'{settings['target']}' is the target itself; name other columns"


def check_blends(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a blend of fewer than two methods, of unknown ones, or of blends."""
    settings = studies[name]
    for method in outputs.methods(settings, "predict", "blends"):
        chosen = blended_methods(settings, method)
        known = [one for one in learned(settings) if registry.method_of(one) not in predict.BLENDS]
        wrong = [one for one in chosen if one not in known]
        if wrong:
            yield (
                ["predict", method, "methods"],
                f"no method '{wrong[0]}' to blend; {registry.suggest(wrong[0], known)}",
            )
        elif len(chosen) < 2:
            yield ["predict", method], f"a blend needs two methods, there is {len(chosen)}; add one, such as cgcnn"
        elif settings["predict"]["task"] != "regression":
            yield ["predict", method], "a blend is for regression; remove it, or set task: regression"


def check_hits(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a count of hits without a limit, of a classification, or compared with an unknown method."""
    settings = studies[name]
    wish = settings.get("predict", {}).get("hits")
    for keys, why in hits.faults(wish, learned(settings)):
        yield ["predict", "hits", *keys], why
    if wish is not None and settings["predict"]["task"] != "regression":
        yield ["predict", "hits"], "hits lie on one side of a limit of a number; remove it, or set task: regression"


def check_transform(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a transformed target of a classification, for all methods or for one."""
    settings = studies[name].get("predict", {})
    own = [[method] for method in learned(studies[name]) if (settings[method] or {}).get("transform")]
    for keys in [[], *own] if settings.get("task") == "classification" else ():
        if (settings[keys[0]] if keys else settings)["transform"] != "none":
            yield ["predict", *keys, "transform"], "a classification has a target of 0 and 1; set transform: none"


def check_pretrained(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse pretrained weights that are absent, unfit, or trained on other graphs than those of the study."""
    settings = studies[name]
    wanted = settings.get("predict", {}).get("pretrained", {}).get("weights", {})
    place = ["predict", "pretrained", "weights"]
    for key in sorted({*RELAXED, *STABILITY} & set(wanted)):
        for potential in potentials(settings):
            yield (
                [*place, key],
                f"{potential} gives a property of this name; name this one otherwise: "
                "energies of two kinds are never put together",
            )
    faulty = [
        ([*place, key], why)
        for key, lender in wanted.items()
        if (why := lender_fault(studies, lender) or kind_fault(settings, lender) or output_fault(studies, lender))
    ]
    yield from faulty
    for key, graph in Predictions(studies).pretrained_graphs(name).items() if wanted and not faulty else ():
        for builder, learned_on in graph.items():
            have = settings["connect"].get(builder)
            other = {k: v for k, v in learned_on.items() if (have or {}).get(k) != v}
            if have is None or other:
                yield (
                    [*place, key],
                    f"these weights learned on graphs of '{builder}' with other options than here, "
                    f"or there are none here; set connect.{builder}: {other}",
                )


def lender_fault(studies: Mapping[str, dict], lender: str) -> str:
    """Return the reason why weights cannot be taken from a file or a study, and the fix; "" if they can."""
    lender = parted(lender)[0]
    nowhere = (
        f"'{lender}' is neither a file nor a network of a study of this run; "
        "name a .safetensors file, or add that study to config key 'studies'"
    )
    if not lender.endswith(".safetensors"):
        lends, _, method = lender.partition("/")
        known = studies.get(lends, {}).get("predict", {})
        if registry.method_of(method) not in {*GRAPHS, *MOLECULE_NETS} or method not in known:
            return nowhere
        trains = known[method].get("learned_in")
        return f"'{lender}' takes its networks from '{trains}'; name that" if trains else ""
    path = os.path.expanduser(lender)
    return pretrained.fault(path) if os.path.isfile(path) else nowhere


def kind_fault(settings: dict, lender: str) -> str:
    """Return the reason why pretrained weights do not fit the items of a study, and the fix; "" if they fit."""
    molecules = bool(outputs.methods(settings, "ingest", "molecules"))
    if of_molecules(lender) == molecules:
        return ""
    theirs, here = ("crystals", "molecules") if molecules else ("molecules", "crystals")
    return f"these weights learned from {theirs}, and this study ingests other items; name weights for {here}"


def output_fault(studies: Mapping[str, dict], lender: str) -> str:
    """Return the reason why a network lacks the output that is taken from it, and the fix; "" if it has it."""
    weights, output = parted(lender)
    if not output:
        return ""
    if weights.endswith(".safetensors"):
        known = heads.names(card_of(weights))
    else:
        lends, _, method = weights.partition("/")
        known = [studies[lends]["predict"]["target"], *studies[lends]["predict"][method].get("also", ())]
    return "" if output in known else f"'{weights}' has no output '{output}'; {registry.suggest(output, known)}"


BEFORE_INDEX = (
    check_target,
    check_target_from,
    check_kinds,
    check_features,
    check_target_as_feature,
    check_feature_fields,
    check_feature_columns,
    check_labels,
)
CHECKS = (
    check_splits,
    check_folds,
    check_networks,
    check_ensembles,
    check_learned_in,
    check_blends,
    check_hits,
    check_transform,
    check_pretrained,
)
