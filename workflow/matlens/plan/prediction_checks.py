"""Refusals of what cannot be predicted or ranked; see `checks`."""

import os
from collections.abc import Mapping

from matlens import predict, registry, screen
from matlens.nets import GRAPHS
from matlens.plan import outputs
from matlens.plan.predictions import Predictions, feature_labels, feature_measures, learned, potentials
from matlens.plan.structure import Reasons
from matlens.predict import folds
from matlens.predict import pretrained_check as pretrained
from matlens.predict.properties import RELAXED, STABILITY
from matlens.screen import criteria
from matlens.store import catalog


def check_target(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a method that learns a property without the name of one."""
    methods = learned(studies[name])
    if methods and not studies[name]["predict"]["target"]:
        yield (
            ["predict", "target"],
            f"'{methods[0]}' learns a property; name its column of the index as 'target'",
        )


def check_features(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a method of tables without features."""
    methods = outputs.methods(studies[name], "predict", "tables")
    needy = [each for each in methods if registry.method_of(each) not in predict.CONTROLS]
    if needy and not studies[name]["predict"]["features"]:
        yield (
            ["predict", needy[0]],
            "it learns from features, and 'features' names none; add some, such as composition.formula",
        )


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
        need = GRAPHS.get(registry.method_of(method))
        if need and need not in studies[name]["connect"]:
            yield (
                ["predict", method],
                f"it works on the graphs of '{need}'; add '{need}: {{}}' to the section 'connect'",
            )


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
    faulty = [([*place, key], why) for key, lender in wanted.items() if (why := lender_fault(studies, lender))]
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
    nowhere = (
        f"'{lender}' is neither a file nor a network of a study of this run; "
        "name a .safetensors file, or add that study to config key 'studies'"
    )
    if not lender.endswith(".safetensors"):
        lends, _, method = lender.partition("/")
        known = studies.get(lends, {}).get("predict", {})
        return "" if registry.method_of(method) in GRAPHS and method in known else nowhere
    path = os.path.expanduser(lender)
    return pretrained.fault(path) if os.path.isfile(path) else nowhere


def check_screens(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a shortlist by properties that nothing predicts."""
    settings = studies[name]
    if "screen" not in settings:
        return
    have = [*settings.get("predict", {}).get("pretrained", {}).get("weights", {})]
    if potentials(settings):
        have += [*RELAXED, *STABILITY]
    for wish in settings["screen"]["properties"]:
        if wish not in have:
            yield ["screen", "properties"], f"nothing predicts '{wish}'; {registry.suggest(wish, have)}"
    if not outputs.methods(settings, "screen"):
        yield ["screen"], f"no method; {registry.suggest('weighted', screen.METHODS)}"
    for keys, fault in criteria.faults(settings["screen"]):
        yield ["screen", *keys], fault


BEFORE_INDEX = (check_target, check_features, check_labels)
CHECKS = (check_splits, check_folds, check_networks, check_pretrained, check_screens)
