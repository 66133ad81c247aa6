"""Inputs of the stages that predict properties and rank by them: connect, predict, benchmark, screen."""

import os
import re
from collections.abc import Callable
from functools import cache

from matlens import predict, registry
from matlens.crystal import POTENTIALS
from matlens.learn import features
from matlens.nets import GRAPHS, MOLECULE_NETS
from matlens.plan import closure, outputs, stages
from matlens.plan.paths import Paths
from matlens.predict import cnn, folds
from matlens.predict import pretrained_check as pretrained
from matlens.predict.properties import RELAXED, STABILITY
from matlens.screen import reference
from matlens.store import catalog, io

# The settings of the cross-validation of tables and images, and those that divide crystals into folds.
VALIDATION = (
    "target", "transform", "group", "folds", "seed", "split", "use_folds", "allow_incomplete", "task", "shuffles",
    "curve_steps",
)  # fmt: skip
NO_WISH = {"target": None, "weight": 1.0, "min": None, "max": None}  # of a property of a shortlist
SPLIT = ("target", "transform", "split", "folds", "seed", "group", "allow_incomplete")
ELEMENTS = "data/weights/{}_elements.csv"  # energies of the elements by a universal potential


def learned(settings: dict) -> list[str]:
    """List the prediction methods of a study that are cross-validated."""
    return outputs.methods(settings, "predict", *stages.LEARNED)


def blended_methods(settings: dict, method: str) -> list[str]:
    """List the methods that a blend of a study takes: those that it names, or all but controls and blends."""
    every = [name for name in learned(settings) if registry.method_of(name) not in (*predict.BLENDS, *predict.CONTROLS)]
    return settings["predict"][method]["methods"] or every


def pretrained_methods(settings: dict) -> list[str]:
    """List the pretrained models and potentials that a study applies."""
    return outputs.methods(settings, "predict", "pretrained", "potentials")


def ranked_by(settings: dict) -> str:
    """Return the cross-validated method whose predictions of the target a shortlist ranks; "" if it ranks none."""
    screen, given = settings.get("screen") or {}, settings.get("predict") or {}
    if given.get("target") not in screen.get("properties", {}):
        return ""
    if screen["predicted_by"] or given["target"] in foretold(settings):
        return screen["predicted_by"] or ""
    able = rankable(settings)
    return able[0] if len(able) == 1 else ""


def rankable(settings: dict) -> list[str]:
    """List the cross-validated methods of a study that are no control."""
    return [method for method in learned(settings) if registry.method_of(method) not in predict.CONTROLS]


def foretold(settings: dict) -> list[str]:
    """List the properties that the pretrained models and potentials of a study predict."""
    weights = (settings.get("predict") or {}).get("pretrained", {}).get("weights", {})
    return [*weights, *([*RELAXED, *STABILITY] if potentials(settings) else [])]


def potentials(settings: dict) -> list[str]:
    """List the universal potentials that a study relaxes its crystals by."""
    return outputs.methods(settings, "predict", "potentials")


def elements_of(settings: dict) -> list[str]:
    """List the elements of the crystals that a study makes, sorted; none for crystals that are read."""
    elements = settings["ingest"].get("prototypes", {}).get("elements", {}).values()
    pairs = settings["ingest"].get("superlattices", {}).get("pairs", [])
    return sorted({symbol for symbols in [*elements, *pairs] for symbol in symbols})


def feature_labels(settings: dict) -> str:
    """Return the segmentation whose measures are features: the first that has them all; "" without any."""
    used = feature_measures(settings)
    fit = [
        method
        for method in settings["segment"]
        if all(method in outputs.measured(settings, "quantify", measure) for measure in used)
    ]
    return settings["predict"]["labels"] or next(iter(fit), "")


def feature_measures(settings: dict) -> list[str]:
    """List the measures of a study that are features."""
    used = {features.origin(feature, settings["quantify"])[0] for feature in settings["predict"]["features"]}
    return [measure for measure in settings["quantify"] if measure in used]


def feature_fields(settings: dict) -> str:
    """Return the method of `fields` whose effective values are features: the first of the study; "" if none are."""
    used = {features.origin(feature, ())[0] for feature in settings["predict"]["features"]}
    return next(iter(outputs.methods(settings, "fields")), "") if features.FIELDS in used else ""


def graph_options(settings: dict, method: str) -> dict:
    """Return the graph builder that a network needs, and its options in a study."""
    builder = GRAPHS[registry.method_of(method)]
    return {builder: settings["connect"][builder]}


def used_folds(settings: dict) -> list[str]:
    """List the folds that networks for crystals are trained on."""
    given = settings["predict"]
    every = range(folds.count(given["split"], given["folds"]))
    return [f"{fold:04d}" for fold in (every if given["use_folds"] is None else given["use_folds"])]


LENDER = re.compile(r"(?P<weights>.+?[.]safetensors|[^:]+)(:(?P<output>.+))?")


def parted(lender: str) -> tuple[str, str]:
    """Split the name of pretrained weights into those and the output to take; "": the first output."""
    found = LENDER.fullmatch(lender)
    return found["weights"], found["output"] or ""


@cache
def card_of(lender: str) -> dict:
    """Read the card of a file of weights."""
    return io.read_json(pretrained.card_file(os.path.expanduser(lender)))


def of_molecules(lender: str) -> bool:
    """Check whether pretrained weights are those of a network for molecules."""
    lender = parted(lender)[0]
    if lender.endswith(".safetensors"):
        return card_of(lender).get("method") in MOLECULE_NETS
    return registry.method_of(lender.partition("/")[2]) in MOLECULE_NETS


class Predictions(Paths):
    """Inputs and parameters of the rules that predict and rank."""

    def feature_tables(self, wildcards) -> list[str]:
        """List the tables of measures that are features."""
        settings = self.studies[wildcards.study]
        folder = f"results/{wildcards.study}/quantify/{feature_labels(settings)}"
        solved = [
            f"results/{wildcards.study}/fields/{method}/effective" for method in [feature_fields(settings)] if method
        ]
        measured = [f"{folder}/{measure}" for measure in feature_measures(settings)]
        return [f"{path}/all.parquet" for path in [*measured, *solved]]

    def feature_measures(self, wildcards) -> list[str]:
        """List the measures that are features, and the fields if their effective values are."""
        settings = self.studies[wildcards.study]
        return [*feature_measures(settings), *([features.FIELDS] if feature_fields(settings) else [])]

    def learned_index(self, wildcards) -> str:
        """Return the index with the target: that of the items, or one with the results of a potential."""
        potential = self.studies[wildcards.study]["predict"]["target_from"]
        folder = f"results/{wildcards.study}/predict/{potential}/targets"
        return f"{folder}/all.parquet" if potential else self.index(wildcards)

    def graph_files(self, wildcards) -> list[str]:
        """List the graphs that a network for crystals takes."""
        folder = f"results/{wildcards.study}/connect/{predict.GRAPHS[registry.method_of(wildcards.method)]}/graphs"
        return [f"{folder}/{shard}.zarr.zip" for shard in self.shards(wildcards.study)]

    def graph_options(self, wildcards) -> dict:
        """Return the graph builder that a network for crystals needs, and its options."""
        return graph_options(self.studies[wildcards.study], wildcards.method)

    def of_folds(self, output: str) -> Callable:
        """Return a function of wildcards: the tables of all folds that a study asks for."""
        return lambda wildcards: [
            f"results/{wildcards.study}/predict/{wildcards.method}/{output}/{fold}.parquet"
            for fold in used_folds(self.studies[wildcards.study])
        ]

    def blended_methods(self, wildcards) -> list[str]:
        """List the methods that a blend takes."""
        return blended_methods(self.studies[wildcards.study], wildcards.method)

    def blended(self, output: str) -> Callable:
        """Return a function of wildcards: an output of all methods that a blend takes."""
        return lambda wildcards: [
            f"results/{wildcards.study}/predict/{method}/{output}/all.parquet"
            for method in self.blended_methods(wildcards)
        ]

    def pretrained_weights(self, name: str) -> dict[str, tuple[str, str]]:
        """Return for every property of a study the pretrained weights, and their card."""
        found = {}
        for key, chosen in self.studies[name]["predict"]["pretrained"]["weights"].items():
            lender = parted(chosen)[0]
            if lender.endswith(".safetensors"):
                path = os.path.expanduser(lender)
                found[key] = path, pretrained.card_file(path)
            else:
                lends, _, method = lender.partition("/")
                folder = f"results/{lends}/predict/{method}"
                found[key] = f"{folder}/weights/0000.safetensors", f"{folder}/card/0000.json"
        return found

    def pretrained_graphs(self, name: str) -> dict[str, dict]:
        """Return for every property of crystals the graph builder of its weights, with the options of the card."""
        found = {}
        for key, chosen in self.studies[name]["predict"]["pretrained"]["weights"].items():
            lender = parted(chosen)[0]
            if of_molecules(lender):
                continue
            if lender.endswith(".safetensors"):
                card = card_of(lender)
                found[key] = card.get("graph", {GRAPHS[card["method"]]: {}})
            else:
                lends, _, method = lender.partition("/")
                found[key] = graph_options(self.studies[lends], method)
        return found

    def pretrained_files(self, part: int) -> Callable:
        """Return a function of wildcards: the weights (0) or cards (1) of all properties."""
        return lambda wildcards: [pair[part] for pair in self.pretrained_weights(wildcards.study).values()]

    def pretrained_names(self, wildcards) -> list[str]:
        """List the properties that pretrained weights predict."""
        return list(self.pretrained_weights(wildcards.study))

    def pretrained_outputs(self, wildcards) -> list[str]:
        """List for every property the output of its network, "" for the first."""
        chosen = self.studies[wildcards.study]["predict"]["pretrained"]["weights"]
        return [parted(lender)[1] for lender in chosen.values()]

    def pretrained_graph_files(self, wildcards) -> list[str]:
        """List for every property the file of a shard that its weights take: graphs, or the index of molecules."""
        graphs, index = self.pretrained_graphs(wildcards.study), self.ingested("index")(wildcards)
        return [
            f"results/{wildcards.study}/connect/{next(iter(graphs[key]))}/graphs/{wildcards.shard}.zarr.zip"
            if key in graphs
            else index
            for key in self.pretrained_weights(wildcards.study)
        ]

    def potential_code(self, wildcards) -> str:
        """Digest the library files behind relaxing by a universal potential."""
        entries = [registry.entry(table, wildcards.method) for table in (predict.POTENTIAL_METHODS, POTENTIALS)]
        return closure.digest("scripts/predict_potential.py", *entries)

    def element_energies(self, wildcards) -> str:
        """Return the energies of the elements by a universal potential."""
        return ELEMENTS.format(registry.method_of(wildcards.method))

    def predictions(self, wildcards) -> list[str]:
        """List the predictions of every cross-validated method of a study."""
        return [
            f"results/{wildcards.study}/predict/{method}/predictions/all.parquet"
            for method in learned(self.studies[wildcards.study])
        ]

    def learned_methods(self, wildcards) -> list[str]:
        """List the cross-validated methods of a study."""
        return learned(self.studies[wildcards.study])

    def property_tables(self, wildcards) -> list[str]:
        """List the tables of properties that a shortlist is made from."""
        return [
            f"results/{wildcards.study}/predict/{method}/properties/all.parquet"
            for method in pretrained_methods(self.studies[wildcards.study])
        ]

    def ranked_predictions(self, wildcards) -> list[str]:
        """List the predictions of the target that a shortlist is made from: those of one method, or none."""
        method = ranked_by(self.studies[wildcards.study])
        return [f"results/{wildcards.study}/predict/{method}/predictions/all.parquet"] if method else []

    def fitted_energies(self, wildcards) -> str:
        """Return the table of energies that databases are fitted to: those of the first potential of a study."""
        potential = potentials(self.studies[wildcards.study])[0]
        return f"results/{wildcards.study}/predict/{potential}/properties/all.parquet"

    def references(self, wildcards) -> dict[str, str]:
        """Return the tables of element energies, by potential, that a joined index is compared with.

        Those of a study whose elements are known beforehand are compared before the run, see `notices`.
        """
        settings = self.studies[wildcards.study]
        if wildcards.output != "index" or elements_of(settings):
            return {}
        return {potential: ELEMENTS.format(registry.method_of(potential)) for potential in potentials(settings)}

    def notices(self) -> str:
        """Name the elements without a reference energy, of studies whose elements are known beforehand; "" if none."""
        from matlens.crystal import element_references

        lines = []
        for name, settings in self.studies.items():
            wanted = elements_of(settings)
            for potential in potentials(settings):
                known = element_references.read(ELEMENTS.format(registry.method_of(potential)))
                if text := element_references.lacking(wanted, known):
                    lines.append(f"{name}: {potential}: {text}")
        return "\n".join(lines)

    def image_initial(self, wildcards) -> list[str] | str:
        """Name the weights that the training of an image method starts from, if any."""
        return registry.call(cnn.initial_file, dict(wildcards.items()), self.settings(wildcards, "predict")) or []

    def rejected_predictions(self, wildcards) -> list[str]:
        """List the `rejected` tables of the graphs and predictions that a shortlist is made from."""
        folders = tuple(f"results/{wildcards.study}/{stage}/" for stage in ("connect", "predict"))
        return [path for path in self.rejected(wildcards) if path.startswith(folders)]

    def screening(self, wildcards) -> dict:
        """Return the settings that all shortlists of a study share, with the defaults of every property."""
        settings = self.studies[wildcards.study]["screen"]
        named = outputs.methods(self.studies[wildcards.study], "screen")
        chosen = {key: value for key, value in settings.items() if key not in named}
        wishes = {name: {**NO_WISH, **wish} for name, wish in settings["properties"].items()}
        target = self.studies[wildcards.study].get("predict", {}).get("target")
        return {**chosen, "properties": wishes, "target": target}

    def known_formulas(self, wildcards) -> str | list:
        """Return the table of known items, so that a change of it reruns the job; none if absent."""
        file = reference.file_of(self.studies[wildcards.study]["screen"]["reference"])
        return [] if file is None else str(file)


def published_scores() -> str | list:
    """Find the scores by fold of published models; none if the public data are absent."""
    name, file = "matbench_scores", "fold_scores.json.gz"
    return str(catalog.find(name, file)) if catalog.available(name) else []
