"""Every refusal before the first job, as a pure function of settings: the place, the cause and the fix."""

import json
from pathlib import Path

import numpy as np
import pytest
from matlens.plan import checks, message, predictions, study
from matlens.store import catalog

from .studies import IMAGES, made

ROOT = Path(__file__).resolve().parents[2]
ALLOYS = {"alloys": {"elements": {"Al": [2, 12], "Cr": [10, 10]}, "balance": "Ni", "levels": 2}}
ALLOY_CELLS = {"superlattices": {"lattice": "fcc", "pairs": [["Cu", "Au"]], "quasi_random_atoms": 8}}
CRYSTALS = {"prototypes": {"prototypes": ["rock_salt"], "neutral": False, "elements": {"A": ["Li"], "X": ["O"]}}}
BASES = [{"database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"]}]
HALF = {"quantity": "fraction", "phase": "l1_2", "temperature_k": 1073, "min": 0.3}
LEARNED = {"target": "volume_a3_per_atom", "split": "kfold", "folds": 2, "cgcnn": {"epochs": 1}}
BULK = str(ROOT / "data/weights/cgcnn_log10_bulk_modulus.safetensors")
PIXELS = str(ROOT / "data/weights/gamma_prime_unet.safetensors")
LOOP = {"objectives": {"x_Al": "maximize"}, "features": ["index.x_Al"], "greedy": {}}
ASKED = {
    "databases": BASES,
    "temperatures_k": [900, 1200],
    "criteria": [{**HALF}, {"quantity": "solvus", "phase": "l1_2"}],
}
SEGMENT = {"segment": {"otsu": {}}}
FIELDS = {
    "properties": {name: {"youngs_gpa": 1.0, "poisson": 0.3} for name in ("background", "phase")},
    "loading": {"xx": 0.01},
    "fft": {},
}
CONDUCTS = {
    "quantity": "conduction",
    "properties": {name: {"conductivity_w_per_m_k": 1.0} for name in ("background", "phase")},
    "loading": {"x": 1.0},
}
MEASURED = {**SEGMENT, "quantify": {"fractions": {}}}


def refusal(ingest=IMAGES, others=None, **sections) -> str:
    """Write the reasons why a study cannot work, one per line: key, then reason."""
    studies = {"mine": made(ingest=ingest, **sections), **(others or {})}
    return "\n".join(f"{'.'.join(map(str, keys))}: {why}" for keys, why in checks.faults(studies, "mine"))


def calphad(**changes) -> dict:
    given = {"databases": BASES, "temperatures_k": [1000, 1200], "criteria": [HALF], **changes}
    return {"candidates": "index", "calphad": given}


def loop(**changes) -> dict:
    return {**LOOP, **changes}


def oracle(criteria=None, **changes) -> dict:
    given = (
        {**ASKED, "criteria": criteria}
        if criteria
        else {**ASKED, "criteria": [{"quantity": "solvus", "phase": "l1_2"}]}
    )
    return loop(**{"objectives": {"solvus_l1_2": "maximize"}, "oracle": "calphad", "calphad": given, **changes})


CASES = {
    "kinds": (
        ALLOYS, {"connect": {"knn": {}}}, "connect: 'alloys' ingests compositions, and 'connect' works on crystals",
    ),
    "kinds of images": (ALLOYS, SEGMENT, "segment: 'alloys' ingests compositions, and 'segment' works on images"),
    "items": (
        {"prototypes": {**CRYSTALS["prototypes"], "prototypes": ["perovskit"]}}, {},
        "ingest.prototypes: prototypes: unknown 'perovskit'; did you mean 'perovskite'?",
    ),
    "elements of alloys": (
        {"alloys": {"elements": {"CO": [0, 10]}, "balance": "Fe"}}, {},
        "ingest.alloys: elements: unknown element 'CO'",
    ),
    "amounts of alloys": (
        {"alloys": {"elements": {"Co": [60, 70], "Cr": [50, 60]}, "balance": "Fe"}}, {},
        "ingest.alloys: elements: no alloy leaves 0 at% for Fe",
    ),
    "combinations of alloys": (
        {"alloys": {"elements": {"Co": [0, 9], "Cr": [0, 9], "Ni": [0, 9]}, "balance": "Fe", "levels": 1000}}, {},
        "ingest.alloys: the design has 1000000000 combinations",
    ),
    "a simplex without a step": (
        {"alloys": {"elements": {"Co": [0, 9]}, "balance": "Fe", "design": "simplex"}}, {},
        "ingest.alloys: step: a simplex design needs one",
    ),
    "series": (
        IMAGES, {**SEGMENT, "quantify": {"coarsening": {}}},
        "quantify.coarsening: works on the table of 'regions'; add 'regions' to 'quantify'",
    ),
    "fields": (
        IMAGES, {**SEGMENT, "fields": {**FIELDS, "loading": {"xw": 1}}}, "fields.loading: there is no component 'xw'",
    ),
    "a load across images": (
        IMAGES, {**SEGMENT, "fields": {**FIELDS, "loading": {"zz": 1}}}, "fields.loading: there is no component 'zz'",
    ),
    "fields without a method": (
        IMAGES, {**SEGMENT, "fields": {k: v for k, v in FIELDS.items() if k != "fft"}}, "fields: no method",
    ),
    "scheme of fields": (
        IMAGES,
        {**SEGMENT, "fields": {**FIELDS, **CONDUCTS, "fft": {"scheme": "hexahedra"}}},
        "fields.fft.scheme: hexahedra are there for 'elastic'",
    ),
    "a network of fields without a solver": (
        IMAGES, {**SEGMENT, "fields": {k: v for k, v in FIELDS.items() if k != "fft"} | {"unet": {}}},
        "fields.unet: a network is judged by the fields of a solver; add 'fft",
    ),
    "truth of a network of fields": (
        IMAGES, {**SEGMENT, "fields": {**FIELDS, "fno": {"truth": "ftt"}}},
        "fields.fno.truth: there is no solver 'ftt' in the study; did you mean 'fft'? allowed: fft",
    ),
    "flow by fft": (
        IMAGES, {**SEGMENT, "fields": {**FIELDS, "stokes": {}}}, "fields.stokes: it solves stokes, not 'elastic'",
    ),
    "labels of fields": (
        IMAGES, {**SEGMENT, "fields": {**FIELDS, "fft": {"of": "unet"}}}, "fields.fft.of: this study makes no 'unet'",
    ),
    "figure of fields": (IMAGES, {**SEGMENT, "figures": {"fields": {}}}, "add a section 'fields'"),
    "weights": (
        IMAGES, {"segment": {"unet": {"weights": "lender/unet"}}},
        "segment.unet.weights: 'lender/unet' is not a method of a study of this run; what is finished is kept",
    ),
    "member of an ensemble": (
        IMAGES, {"detect": {"boxes": {"members": 3}, "boxes.d": {"weights": "mine/boxes", "member": 3}}},
        "detect.boxes.d.member: 'mine/boxes' has 3 networks, counted from 0",
    ),
    "member of one network": (
        IMAGES, {"detect": {"boxes": {"member": 1}}}, "detect.boxes.member: 'mine/boxes' has 1 networks",
    ),
    "initial weights": (
        IMAGES, {"segment": {"unet": {"initial_weights": "lender/unet"}}},
        "segment.unet.initial_weights: 'lender/unet'",
    ),
    "proposals": (IMAGES, {**SEGMENT, "propose": {"method": "otsu"}}, "propose.method: 'otsu' is no trained method"),
    "target": (
        CRYSTALS, {"connect": {"knn": {}}, "predict": {"cgcnn": {}}}, "predict.target: 'cgcnn' learns a property",
    ),
    "molecules of crystals": (
        CRYSTALS, {"predict": {"target": "y", "bondnet": {}}},
        "predict.bondnet: it works on molecules, and this study ingests none",
    ),
    "crystals of alloys": (
        ALLOYS, {"predict": {"target": "y", "cgcnn": {}}}, "predict.cgcnn: it works on crystals, and this study",
    ),
    "features": (ALLOYS, {"predict": {"target": "y", "ridge": {}}}, "predict.ridge: it learns from features, and"),
    "folds": (
        CRYSTALS, {"connect": {"knn": {}}, "predict": {**LEARNED, "use_folds": [0, 2]}},
        "predict.use_folds: there is no fold 2; the split has folds 0 to 1",
    ),
    "networks": (
        CRYSTALS, {"connect": {"radius": {}}, "predict": LEARNED},
        "predict.cgcnn: it works on the graphs of 'knn'; add 'knn: {}' to the section 'connect'",
    ),
    "lender": (
        CRYSTALS, {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"k": "nobody/cgcnn"}}}},
        "predict.pretrained.weights.k: 'nobody/cgcnn' is neither a file nor a network",
    ),
    "no crystal network": (
        CRYSTALS, {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"k": PIXELS}}}},
        "no network for crystals",
    ),
    "other graphs": (
        CRYSTALS, {"connect": {"knn": {"k": 8}}, "predict": {"pretrained": {"weights": {"k": BULK}}}},
        "set connect.knn: {'k': 12}",
    ),
    "two energies": (
        CRYSTALS,
        {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"energy_ev_per_atom": BULK}}, "chgnet": {}}},
        "chgnet gives a property of this name",
    ),
    "wish": (
        CRYSTALS,
        {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"k": BULK}}},
         "screen": {"properties": {"q": {"goal": "maximize"}}, "weighted": {}}},
        "screen.properties: 'q' is neither predicted nor a column of numbers; allowed: atoms, elements, k, volume_a3",
    ),
    "wish of a table": (
        {"structures": {"path": "~/mine.csv", "targets": ["k"]}},
        {"screen": {"properties": {"price": {"goal": "minimize"}}, "weighted": {}}},
        "if it is a column of your table, list it: ingest.structures.targets: [price]",
    ),
    "images of crystals": (
        CRYSTALS, {"predict": {"target": "volume_a3", "cnn": {}}},
        "predict.cnn: it works on images, and this study ingests none",
    ),
    "two methods of a target": (
        ALLOYS, {"predict": {"target": "y", "magpie_forest": {}, "ridge": {}, "features": ["composition.formula"]},
                 "screen": {"properties": {"y": {"goal": "maximize"}}, "weighted": {}}},
        "several methods predict 'y'; name one: predicted_by: magpie_forest (or ridge)",
    ),
    "unknown method of a target": (
        ALLOYS, {"predict": {"target": "y", "magpie_forest": {}},
                 "screen": {"predicted_by": "magpie_tree", "properties": {"y": {"goal": "maximize"}}, "weighted": {}}},
        "screen.predicted_by: no method 'magpie_tree' in 'predict' learns; did you mean 'magpie_forest'?",
    ),
    "method without its target": (
        ALLOYS, {"predict": {"target": "y", "magpie_forest": {}},
                 "screen": {"predicted_by": "magpie_forest", "properties": {"x_Al": {"goal": "maximize"}},
                            "weighted": {}}},
        "screen.predicted_by: the target of 'predict' is 'y', and no property of the shortlist",
    ),
    "elements of images": (
        IMAGES, {"screen": {"properties": {"pixel_size_um": {"goal": "minimize"}}, "only": ["Fe"], "weighted": {}}},
        "screen.only: it compares compositions, and the items of this study have none",
    ),
    "goal": (
        CRYSTALS,
        {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"k": BULK}}},
         "screen": {"properties": {"k": {"goal": "target"}}, "weighted": {}}},
        "screen.properties.k.target: goal target needs a target value",
    ),
    "no ranking": (
        CRYSTALS,
        {"connect": {"knn": {}}, "predict": {"pretrained": {"weights": {"k": BULK}}},
         "screen": {"properties": {"k": {"goal": "maximize"}}}},
        "screen: no method; did you mean 'weighted'?",
    ),
    "shortlist": (CRYSTALS, {"validate": {"qe": {}}}, "validate.candidates: this study makes no shortlist"),
    "relaxed": (
        CRYSTALS, {"validate": {"candidates": "index", "structures": "relaxed", "qe": {}}},
        "validate.structures: nothing relaxes them; add 'chgnet: {}' to the section 'predict'",
    ),
    "crystals": (ALLOYS, {"validate": {"candidates": "index", "qe": {}}}, "validate.qe: it works on crystals"),
    "quantity": (
        CRYSTALS, {"validate": {"candidates": "index", "qe": {}, "accept": {"bulk_modulus": {"min": 1}}}},
        "validate.accept: no engine computes 'bulk_modulus'; did you mean 'bulk_modulus_gpa'",
    ),
    "fit without cells": (CRYSTALS, {"fit": {"compound_energy": {"elements": ["Cu", "Au"]}}}, "it takes the ordered"),
    "fit of another pair": (ALLOY_CELLS, {"fit": {"compound_energy": {"elements": ["Cu", "Ag"]}}}, "Cu-Ag is no pair"),
    "fit without random cells": (
        {"superlattices": {**ALLOY_CELLS["superlattices"], "quasi_random_atoms": 3}},
        {"predict": {"chgnet": {}}, "fit": {"compound_energy": {"elements": ["Cu", "Au"]}}},
        "needs 'ingest.superlattices.quasi_random_atoms: 4' or more",
    ),
    "fit without energies": (
        ALLOY_CELLS, {"fit": {"compound_energy": {"elements": ["Cu", "Au"]}}}, "nothing computes energies; add 'chgnet"
    ),
    "fit of cells that are not relaxed": (
        ALLOY_CELLS, {"predict": {"chgnet": {"steps": 0}}, "fit": {"compound_energy": {"elements": ["Cu", "Au"]}}},
        "predict.chgnet.steps: a fit takes energies of relaxed cells",
    ),
    "diagram of other elements than its fit": (
        ALLOY_CELLS,
        {"predict": {"chgnet": {}}, "fit": {"compound_energy": {"elements": ["Cu", "Au"]}}, "validate": {
            "diagram": {"databases": [{"database": "fit.compound_energy", "phases": ["FCC_4SL"]}],
                        "elements": ["Ag", "Au"], "temperatures_k": [300]}}},
        "validate.diagram.elements: 'fit.compound_energy' is of Cu-Au, without Ag",
    ),
    "database of no fit": (
        ALLOY_CELLS,
        {"predict": {"chgnet": {}}, "fit": {"compound_energy.cu": {"elements": ["Cu", "Au"]}}, "validate": {
            "diagram": {"databases": [{"database": "fit.compound_energy", "phases": ["FCC_4SL"]}],
                        "elements": ["Au", "Cu"], "temperatures_k": [300]}}},
        "no fit of this study is 'fit.compound_energy'; did you mean 'fit.compound_energy.cu'",
    ),
    "elastic constants without strains": (
        CRYSTALS, {"validate": {"candidates": "index", "qe": {}, "accept": {"shear_modulus_vrh_gpa": {"min": 50}}}},
        "validate.accept: 'qe' computes no 'shear_modulus_vrh_gpa' without strains; add 'elastic_strains: [0.004",
    ),
    "elastic constants by an engine without them": (
        CRYSTALS, {"validate": {"candidates": "index", "vasp": {}, "accept": {"c44_gpa": {"min": 50}}}},
        "validate.accept: 'vasp' computes no 'c44_gpa'; engines that do: chgnet, qe, gpaw",
    ),
    "database": (
        ALLOYS, {"validate": calphad(databases=[{"database": "pycalphad:alcrn.tdb", "phases": ["LIQUID", "L12_FCC"]}])},
        "did you mean 'alcrni.tdb'",
    ),
    "phase of a database": (
        ALLOYS, {"validate": calphad(databases=[{"database": "pycalphad:alcrni.tdb", "phases": ["LIQID", "L12_FCC"]}])},
        "did you mean 'LIQUID'",
    ),
    "structure": (ALLOYS, {"validate": calphad(criteria=[{**HALF, "phase": "l12"}])}, "did you mean 'l1_2'"),
    "limit that a response cannot answer": (
        ALLOYS, {"validate": {"candidates": "index", "opencalphad": {
            "database": "TCNI12", "phases": ["FCC_L12"], "temperatures_k": [1000],
            "criteria": [{"quantity": "solvus", "phase": "l1_2", "min": 1200}]}}},
        "validate.opencalphad.criteria: 'solvus_l1_2' cannot be judged from a response",
    ),
    "limit at a temperature that is not computed": (
        ALLOYS, {"validate": {"candidates": "index", "thermocalc": {
            "database": "TCNI12", "phases": ["FCC_L12"], "temperatures_k": [1000], "criteria": [HALF]}}},
        "add it to temperatures_k",
    ),
    "temperature": (
        ALLOYS, {"validate": calphad(criteria=[{"quantity": "fraction", "phase": "l1_2"}])}, "needs temperature_k",
    ),
    "bridge": (
        IMAGES,
        {**SEGMENT, "validate": {"bridge": {
            "composition": {"Ni": "bal", "Al": 12, "Cr": 10}, "unit": "at%", "phase": "phase", "structure": "l1_2",
            "databases": BASES, "temperature_k": 1073}}},
        "validate.bridge: it compares measured fractions; add 'fractions: {}'",
    ),
    "limits": (
        ALLOYS, {"acquire": loop(constraints={"x_Cr": {"min": 2, "max": 1}})},
        "acquire.constraints: 'x_Cr' lies between 2 and 1, which nothing does; swap them",
    ),
    "oracle": (ALLOYS, {"acquire": loop(oracle="calphad")}, "acquire.calphad: the oracle has no settings"),
    "limits of an oracle": (
        ALLOYS, {"acquire": oracle([{**HALF}, {"quantity": "solvus", "phase": "l1_2"}])},
        "acquire.calphad.criteria: the limits of a loop are its constraints",
    ),
    "quantity of an oracle": (
        ALLOYS, {"acquire": oracle(constraints={"fraction_l12_1073_k": {"max": 0.5}})},
        "acquire: CALPHAD is not asked for 'fraction_l12_1073_k'",
    ),
    "figure of a measure": (
        IMAGES, {**SEGMENT, "figures": {"fractions": {}}},
        "figures.fractions: it is drawn from 'fractions'; add 'fractions: {}' to the section 'quantify'",
    ),
    "figure of sites": (
        CRYSTALS,
        {"predict": {"target": "volume_a3_per_atom", "mean": {}}, "figures": {"sites": {}}},
        "figures.sites: it is drawn from 'sites'; predict with a network that says what it reads from atoms: cgcnn",
    ),
    "the target as a feature": (
        ALLOYS, {"predict": {"target": "x_Al", "ridge": {}, "features": ["index.x_Cr", "index.x_Al"]}},
        "predict.features: 'index.x_Al' is what has to be predicted",
    ),
    "figure of losses": (IMAGES, {**MEASURED, "figures": {"losses": {}}}, "train a network in the section"),
    "figure of verdicts": (ALLOYS, {"figures": {"verdicts": {}}}, "add a section 'validate' with an engine"),
    "figure of a front": (CRYSTALS, {"figures": {"pareto": {}}}, "add a section 'screen'"),
    "figure of a benchmark": (
        ALLOYS, {"predict": {"target": "y", "mean": {}, "features": ["index.x_Al"]}, "figures": {"benchmark": {}}},
        "set 'predict.split: official'",
    ),
    "figure of a trade-off": (
        ALLOYS, {"acquire": loop(constraints={"z": {"max": 1}}), "figures": {"trade_off": {"x": "x_Al", "y": "zz"}}},
        "figures.trade_off.y: the loop asks for no 'zz'; did you mean 'z'?",
    ),
    "goal of a trade-off": (
        ALLOYS, {"acquire": loop(constraints={"z": {"max": 1}}), "figures": {"trade_off": {"x_goal": "minimize"}}},
        "figures.trade_off: the loop has to maximize 'x_Al'; write x_goal: maximize",
    ),
    "trade-off of one": (
        ALLOYS, {"acquire": loop(), "figures": {"trade_off": {}}}, "the loop asks for 'x_Al' alone; add an objective",
    ),
    "figure of rounds": (ALLOYS, {"figures": {"acquisition": {}}}, "add a section 'acquire'"),
    "phases": (
        IMAGES, {"phases": ["a", "b", "c"], **SEGMENT}, "segment.otsu: makes 2 phases and the study has 3 (a, b, c)",
    ),
    "published curves": (
        IMAGES,
        {**SEGMENT, "quantify": {"two_point": {}}, "figures": {"two_point": {"reference": "nowhere/curve.csv"}}},
        "figures.two_point.reference: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ingest", "sections", "reason"), CASES.values(), ids=CASES)
def test_a_study_that_cannot_work_is_refused_with_key_cause_and_fix(ingest, sections, reason):
    assert reason in refusal(ingest, **sections)


@pytest.mark.parametrize(
    ("phases", "fields", "reason"),
    [
        (["background", "phase"], {}, ""),
        (
            ["phase", "background"],
            {},
            "with the phases ['background', 'phase'], and the study has ['phase', 'background']",
        ),
        (["background", "phase"], {"loading": {"yy": 1}}, "with the loading {'xx': 0.01}, and the study has {'yy': 1}"),
        (["background", "phase"], {"boundary": "mirrored"}, "with the boundary periodic, and the study has mirrored"),
    ],
)
def test_a_network_of_fields_is_applied_to_its_own_problem_alone(phases, fields, reason, tmp_path):
    """Else every item would be solved in its place, or its labels read as those of other phases."""
    lender = made("lender", **SEGMENT, phases=["background", "phase"], fields={**FIELDS, "unet": {}})
    card = {"method": "unet", "phases": lender["phases"], "settings": {**lender["fields"], "scheme": "rotated"}}
    (tmp_path / "unet.json").write_text(json.dumps(card))
    (tmp_path / "unet.safetensors").touch()
    for weights in ("lender/unet", str(tmp_path / "unet.safetensors")):
        chosen = {**FIELDS, **fields, "unet": {"weights": weights}}
        found = checks.faults({"lender": lender, "mine": made(**SEGMENT, phases=phases, fields=chosen)}, "mine")
        assert len(found) == bool(reason) and all(reason in why for _, why in found), found


@pytest.fixture
def micrographs(tmp_path):
    for name in ("field_10h.png", "field_20h.png"):
        (tmp_path / name).touch()
    (tmp_path / "sheet.csv").write_text("file\nfield_10h.png\n")
    return tmp_path


def test_painting_needs_detections(micrographs):
    files = {"files": {"path": str(micrographs)}}
    assert "segment.painted: it paints detections" in refusal(files, segment={"painted": {}})
    wrong = refusal(files, segment={"painted": {"by": "blob"}}, detect={"blobs": {}})
    assert "segment.painted.by: this study detects nothing by 'blob'; did you mean 'blobs'?" in wrong


@pytest.mark.parametrize(("column", "fault"), [
    ("area_fraction", ""), ("area_fraction@phase", ""), ("area_fractio", "did you mean 'area_fraction'"),
    ("xyzzy", "no measure has a column 'xyzzy'"),
])  # fmt: skip
def test_features_that_no_measure_has_are_refused(micrographs, column, fault):
    (micrographs / "sheet.csv").write_text("file,dose\nfield_10h.png,1\nfield_20h.png,2\n")
    predict = {"target": "dose", "features": [f"fractions.{column}"], "folds": 2, "ridge": {}}
    said = refusal({"sheet": {"path": str(micrographs / "sheet.csv")}}, **MEASURED, predict=predict)
    assert fault in said and bool(said) == bool(fault)


@pytest.mark.parametrize(
    ("figure", "fault"),
    [
        ({"sizes": {"quantity": "equivalent_diamter"}}, "did you mean 'equivalent_diameter'?"),
        ({"sizes": {"quantity": "circularity"}}, "'regions' has no column 'circularity' with the unit px, px2, px3"),
        ({"sizes": {"quantity": "area"}}, ""),
        ({"grain_size": {"quantity": "intercept"}}, "figures.grain_size.quantity: 'grain_size' has no column"),
        ({"grain_size": {"quantity": "equivalent_diameter"}}, "'grain_size' has no column 'equivalent_diameter'"),
        ({"sizes": {"quantity": "mean_lineal_intercept"}}, "'regions' has no column 'mean_lineal_intercept'"),
        ({"scores": {"metric": "f1"}}, "'scores' has no column 'f1' of that name; choose a column of its table"),
    ],
)
def test_figures_of_columns_that_no_measure_has_are_refused(micrographs, figure, fault):
    measures = {"quantify": {"regions": {}, "grain_size": {}, "scores": {}}, "segment": {"watershed": {}}}
    masks = {"masks": str(micrographs)}
    said = refusal({"files": {"path": str(micrographs), **masks}}, **measures, figures=figure)
    assert fault in said and bool(said) == bool(fault)


@pytest.mark.parametrize(
    ("segments", "measure", "fault"),
    [
        ({"otsu": {}}, {"grain_size": {"boundary": "boundary2"}}, "no phase 'boundary2'; did you mean 'boundary'?"),
        ({"otsu": {}}, {"grain_size": {}}, "'otsu' labels phases, and does not number grains; name the phase between"),
        ({"otsu": {}}, {"grain_size": {"boundary": "boundary"}}, ""),
        ({"watershed": {}}, {"grain_size": {}}, ""),
        ({"otsu": {}, "watershed": {}}, {"grain_size": {}}, ""),
        ({"otsu": {}, "watershed": {}}, {"grain_size": {"of": ["otsu"]}}, "'otsu' labels phases"),
        ({"otsu": {}}, {"tortuosity": {"phase": 2}}, "there is no phase 2; phases are numbered from 0: 0 grain, 1 bo"),
        ({"otsu": {}}, {"two_point": {"phase": 0}}, ""),
        ({"otsu": {}}, {"tpb": {}}, "three phases meet at these lines, and the study names 2"),
        ({"otsu": {}}, {"topology": {"boundary": "pore"}}, "there is no phase 'pore'; allowed: boundary, grain"),
    ],
)
def test_measures_by_which_every_item_would_be_rejected_are_refused(segments, measure, fault):
    said = refusal(phases=["grain", "boundary"], segment=segments, quantify=measure)
    assert fault in said and bool(said) == bool(fault)


def test_weights_of_another_study_are_those_of_its_phases_in_their_order():
    lender = made("lender", phases=["matrix", "pore"], segment={"unet": {}})
    for phases in (["matrix", "pore"], ["pore", "matrix"], ["matrix", "crack"]):
        said = refusal(others={"lender": lender}, phases=phases, segment={"unet": {"weights": "lender/unet"}})
        wanted = f"segment.unet.weights: the weights are of phases matrix, pore, the study has {', '.join(phases)}"
        assert said.startswith(wanted) if phases != ["matrix", "pore"] else not said
        assert not refusal(
            others={"lender": lender}, phases=phases, segment={"unet": {"initial_weights": "lender/unet"}}
        )


def test_a_hull_without_a_potential_is_refused():
    weights = {"pretrained": {"weights": {"log10_bulk_modulus_gpa": BULK}}}
    crystals = CRYSTALS
    said = refusal(crystals, connect={"knn": {}}, predict=weights, figures={"hull": {}})
    assert "figures.hull: it is drawn from energies by a potential; add 'chgnet: {}'" in said
    assert "figures.hull" not in refusal(crystals, predict={"chgnet": {}}, figures={"hull": {}})


def test_truth_values_of_no_phase_or_without_masks_are_refused(micrographs):
    given = {"path": str(micrographs), "truth_values": {"partikel": [255]}}
    assert "truth_values names the phase 'partikel'" in refusal({"files": given}, segment={"otsu": {}})
    given["truth_values"] = {"phase": [255]}
    assert "truth_values is for the option masks; add it" in refusal({"files": given}, segment={"otsu": {}})


def test_one_phase_for_a_method_that_makes_two_is_refused(micrographs):
    said = refusal({"files": {"path": str(micrographs)}}, phases=["steel"], segment={"otsu": {}})
    assert "makes 2 phases and the study names only 'steel'; name the darker one too" in said


def test_a_detector_without_masks_or_objects_is_refused(micrographs):
    files, asked = {"path": str(micrographs)}, {"detect": {"centres": {}}}
    assert "detect.centres: it learns from masks, and 'files' names no masks" in refusal({"files": files}, **asked)
    assert refusal({"files": files}, detect={"blobs": {}}) == ""
    assert "masks" not in refusal({"files": {**files, "masks": str(micrographs)}}, **asked)
    sheet = {"sheet": {"path": str(micrographs / "sheet.csv")}}
    assert "detect.centres: it learns from masks, and the sheet has no column" in refusal(sheet, **asked)
    (micrographs / "sheet.csv").write_text("file,objects_file\nfield_10h.png,\n")
    assert "masks" not in refusal(sheet, **asked)


def test_scores_and_controls_without_a_truth_are_refused(micrographs):
    files, scored = {"path": str(micrographs)}, {**SEGMENT, "quantify": {"scores": {}, "fractions": {}}}
    assert "quantify.scores: it needs the truth, and 'files' names no masks" in refusal({"files": files}, **scored)
    for stage in ("segment", "detect"):
        said = refusal({"files": files}, **{stage: {"ground_truth": {}}})
        assert f"{stage}.ground_truth: it needs the truth" in said
    assert "truth" not in refusal({"files": {**files, "masks": str(micrographs)}}, **scored)
    assert "truth" not in refusal({"sheet": {"path": str(micrographs / "sheet.csv")}}, **SEGMENT)
    assert "truth" not in refusal(IMAGES, **scored)


def test_masks_that_fit_no_image_are_refused(micrographs):
    (micrographs / "masks").mkdir()
    (micrographs / "masks/other.png").touch()
    given = {"path": str(micrographs), "masks": str(micrographs / "masks")}
    assert "ingest.files: masks" in refusal({"files": given}, segment={"otsu": {}})
    (micrographs / "masks/field_20h.png").touch()
    assert refusal({"files": given}, segment={"otsu": {}}) == ""
    given["exclude_mask"] = str(micrographs / "masks/other.png")
    assert refusal({"files": given}, segment={"otsu": {}}) == ""


@pytest.mark.parametrize("method", ["unet", "random_forest"])
def test_training_without_masks_is_refused(micrographs, method):
    files = {"files": {"path": str(micrographs)}}
    assert f"segment.{method}: it learns from masks, and 'files' names no masks" in refusal(files, segment={method: {}})
    assert "detect.rcnn: it learns from masks" in refusal(files, segment={"otsu": {}}, detect={"rcnn": {}})
    assert "masks" not in refusal(files, segment={"unet": {"weights": PIXELS}})
    assert "masks" not in refusal({"files": {**files["files"], "masks": str(micrographs)}}, segment={method: {}})
    sheet = {"sheet": {"path": str(micrographs / "sheet.csv")}}
    assert "the sheet has no column 'truth_file'" in refusal(sheet, segment={method: {}})


def test_a_pattern_that_fits_no_file_name_is_refused(micrographs):
    def reason(**options):
        return refusal({"files": {"path": str(micrographs), **options}}, **SEGMENT)

    assert "columns '(?P<time_h>[0-9]+)min' matches none of 2 names" in reason(columns="(?P<time_h>[0-9]+)min")
    assert "group '(alloy)' matches none of 2 names" in reason(group="(alloy)")
    assert not reason(columns="(?P<time_h>[0-9]+)h")


def test_elements_without_a_reference_energy_are_named_before_the_first_job():
    from matlens.plan.rules import Plan

    def notices(*elements):
        rock_salt = {**CRYSTALS["prototypes"], "elements": {"A": list(elements), "X": ["O"]}}
        return Plan({"mine": made(ingest={"prototypes": rock_salt}, predict={"chgnet": {}})}).notices()

    assert notices("Li", "Yb").startswith("mine: chgnet: no reference energy of Yb is known")
    assert notices("Li") == "" == Plan({"mine": made()}).notices()


def test_every_check_has_a_case():
    assert checks.faults({"mine": made(**MEASURED)}, "mine") == []
    assert len(CASES) >= len(checks.CHECKS)


def test_weights_for_molecules_are_for_molecules():
    bonds = {"molecules": {"path": "bonds.csv"}}
    lends = made("bonds", ingest=bonds, predict={"target": "e", "bondnet": {}})
    crystals = made("crystals", ingest=CRYSTALS, connect={"knn": {}}, predict=LEARNED)

    def why(ingest, lender, **more):
        chosen = {"pretrained": {"weights": {"e": lender}}}
        return refusal(ingest, {"bonds": lends, "crystals": crystals}, predict=chosen, **more)

    assert not why(bonds, "bonds/bondnet")
    assert "learned from molecules" in why(CRYSTALS, "bonds/bondnet", connect={"knn": {}})
    assert "learned from crystals" in why(bonds, "crystals/cgcnn")


def test_a_property_may_be_any_output_of_a_network():
    lends = made(
        "pair", ingest=CRYSTALS, connect={"knn": {}}, predict={**LEARNED, "cgcnn.two": {"also": ["density g"]}}
    )

    def why(lender):
        return refusal(
            CRYSTALS, {"pair": lends}, connect={"knn": {}}, predict={"pretrained": {"weights": {"k": lender}}}
        )

    assert (
        not why("pair/cgcnn.two:density g") and not why("pair/cgcnn.two") and not why("pair/cgcnn:volume_a3_per_atom")
    )
    wrong = "predict.pretrained.weights.k: 'pair/cgcnn.two' has no output 'density'; did you mean 'density g'?"
    assert wrong in why("pair/cgcnn.two:density")
    assert "has no output 'g'" in why(f"{BULK}:g") and not why(f"{BULK}:y_log_kvrh")
    assert predictions.parted("a/b:c") == ("a/b", "c") and predictions.parted("a:b/c.safetensors") == (
        "a:b/c.safetensors",
        "",
    )


def test_weights_of_a_study_of_the_run_are_accepted_and_those_of_another_method_are_not():
    lender = made("lender", segment={"unet": {}})
    assert not refusal(segment={"unet": {"weights": "lender/unet"}}, others={"lender": lender})
    assert "the study 'lender' of 'lender/fcn' makes no 'fcn' in segment; allowed: unet" in refusal(
        segment={"fcn": {"weights": "lender/fcn"}}, others={"lender": lender}
    )


@pytest.mark.parametrize(
    ("header", "sections", "reason"),
    [
        ("hardness_hv", {"predict": {"target": "hardnes_hv", "features": ["index.a"], "mean": {}}},
         "predict.target: there is no column 'hardnes_hv' in the index; did you mean 'hardness_hv'"),
        ("alloy", {"quantify": {"regions": {}, "growth": {}}}, "quantify.growth: there is no column 'time_h'"),
        ("y", {"predict": {"target": "y", "group": "melt", "features": ["index.a"], "mean": {}}},
         "predict.group: there is no"),
        ("y", {"predict": {"target": "y", "features": ["index.z"], "mean": {}}},
         "predict.features: there is no column 'z'"),
    ],
)  # fmt: skip
def test_columns_that_the_sheet_lacks_are_refused(tmp_path, header, sections, reason):
    (tmp_path / "sheet.csv").write_text(f"file,{header}\na.png,300\n")
    (tmp_path / "a.png").touch()
    sheet = {"sheet": {"path": str(tmp_path / "sheet.csv")}}
    assert reason in refusal(sheet, **{**SEGMENT, "quantify": {"fractions": {}}, **sections})


def test_out_of_distribution_splits_without_their_files_are_refused(monkeypatch):
    monkeypatch.setattr(catalog, "available", lambda name: name != "ood_splits")
    found = refusal(CRYSTALS, predict={"target": "volume_a3_per_atom", "split": "ood:LOCO", "mean": {}})
    assert found.startswith("predict.split: ")


def test_a_card_without_the_graph_it_learned_on_is_held_to_the_builder_of_its_network(tmp_path):
    card = json.loads(Path(BULK).with_suffix(".json").read_text())
    card.pop("graph", None)
    (tmp_path / "w.json").write_text(json.dumps(card))
    (tmp_path / "w.safetensors").write_bytes(Path(BULK).read_bytes())
    weights = {"weights": {"k": str(tmp_path / "w.safetensors")}}
    assert "there are none here; set connect.knn" in refusal(
        CRYSTALS, connect={"radius": {}}, predict={"pretrained": weights}
    )
    assert not refusal(CRYSTALS, connect={"knn": {"k": 8}}, predict={"pretrained": weights})


def test_a_refusal_is_one_line_with_file_line_key_cause_and_fix(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/studies").mkdir(parents=True)
    path = tmp_path / "config/studies/mine.yaml"
    path.write_text("title: mine\ningest:\n  alloys: {elements: {Al: [2, 3]}, balance: Ni}\nsegment:\n  otsu: {}\n")
    with pytest.raises(SystemExit) as stopped:
        checks.studies_of("mine")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        f"{message.HEAD}\nconfig/studies/mine.yaml:4: segment: 'alloys' ingests compositions, and 'segment' works on "
        "images; take 'segment' out, or put it into a study of images\n"
    )
    path.write_text("title: mine\ningest:\n  files: {path: x}\nsegment:\n  otsuu: {}\n")
    with pytest.raises(SystemExit):
        checks.studies_of("mine")
    told = capsys.readouterr().err
    assert told.startswith(f"{message.HEAD}\nconfig/studies/mine.yaml:5: segment.otsuu: unknown method 'otsuu'")


def test_files_that_cannot_be_listed_stop_the_run(tmp_path, monkeypatch, capsys):
    from types import SimpleNamespace

    from matlens.plan.rules import Plan

    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/studies").mkdir(parents=True)
    (tmp_path / "config/studies/mine.yaml").write_text("title: mine\ningest:\n  files: {path: none/*.tif}\n")
    plan = Plan({"mine": made(ingest={"files": {"path": "none/*.tif"}})})

    class Wildcards(SimpleNamespace):
        def __getitem__(self, key):
            return getattr(self, key)

    with pytest.raises(SystemExit):
        plan.listing(Wildcards(study="mine", method="files"))
    assert capsys.readouterr().err.startswith(f"{message.HEAD}\nconfig/studies/mine.yaml:3: ingest.files: ")


CRYSTAL_GRAPHS = {"ingest": CRYSTALS, "connect": {"knn": {}}}


def learning(**changes) -> str:
    """Write the refusals of a study that learns from crystals."""
    return refusal(**CRYSTAL_GRAPHS, predict={**LEARNED, **changes})


def test_an_ensemble_of_one_that_leaves_out_parts_is_refused():
    assert "the ensemble has 1; set ensemble: 5" in learning(cgcnn={"leave_out": "clusters"})
    assert not learning(cgcnn={"leave_out": "clusters", "ensemble": 3})
    assert "'volume_a3_per_atom' is the target itself" in learning(cgcnn={"also": ["volume_a3_per_atom"]})


def test_networks_of_another_study_have_learned_the_target_on_these_folds():
    """A second study of the same crystals, whose target is a further column of the networks of the first."""
    lends = {"target": "volume_a3_per_atom", "split": "kfold", "cgcnn": {"also": ["atoms"], "epochs": 7}, "gatgnn": {}}
    chained = {**lends, "cgcnn": {"learned_in": "first/cgcnn"}}
    others = {name: made(name, **CRYSTAL_GRAPHS, predict=one) for name, one in (("first", lends), ("copy", chained))}

    def why(network="first/cgcnn", connect=None, options=None, name="cgcnn", **changes):
        wish = {"target": "atoms", "split": "kfold", name: {"learned_in": network, **(options or {})}, **changes}
        return refusal(CRYSTALS, others, connect=connect or {"knn": {}}, predict=wish)

    assert not why() and not why(options={"epochs": 7, "device": "cpu"}) and not why(use_folds=[1])
    assert not why(target="volume_a3_per_atom")
    assert "'cgcnn' in the study 'first'" in why(target="elements") and "add also: [elements]" in why(target="elements")
    assert "make run STUDIES=" in why("third/cgcnn") and ",third" in why("third/cgcnn")
    assert "trains no network 'cgcn'; did you mean 'cgcnn'?" in why("first/cgcn")
    assert "name 'first/cgcnn'" in why("copy/cgcnn")
    assert "call this method gatgnn, too" in why("first/gatgnn")
    assert "have epochs: 7; remove 'epochs' here" in why(options={"epochs": 9})
    assert "set predict.split: kfold in both studies" in why(split="group")
    assert "no network of fold 5" in why(folds=6) or "set predict.folds: 5 in both studies" in why(folds=6)
    assert "set connect: {'knn': {" in why(connect={"knn": {"k": 8}})
    assert "set predict.transform: none" in why(transform="log")
    lent = {"pretrained": {"weights": {"n": "copy/cgcnn"}}}
    assert "takes its networks from 'first/cgcnn'; name that" in refusal(
        CRYSTALS, others, connect={"knn": {}}, predict=lent
    )


def test_a_blend_needs_two_methods_that_are_there():
    assert "a blend needs two methods, there is 1" in learning(blend={})
    assert not learning(blend={}, magpie_trees={})
    assert "a blend needs two methods, there is 1" in learning(blend={}, mean={})  # a control is not blended
    why = learning(blend={"methods": ["cgcnn", "magpie_tree"]}, magpie_trees={})
    assert "no method 'magpie_tree' to blend; did you mean 'magpie_trees'?" in why


def test_boosted_trees_on_structures_need_graphs():
    assert "add 'knn: {}' to the section 'connect'" in refusal(
        ingest=CRYSTALS, predict={"target": "volume_a3_per_atom", "structure_trees": {}}
    )


def test_hits_need_one_limit_and_a_method_to_compare_with_that_is_there():
    wish = {"chosen": [10], "below": 0.5}
    assert not learning(hits=wish)
    assert "predict.hits: a hit lies on one side of a limit; set 'below' or 'above', not both" in learning(
        hits={**wish, "above": 1.0}
    )
    assert "set 'below' or 'above'" in learning(hits={"chosen": [10]})
    assert "predict.hits.compare: no method 'cgcn'; did you mean 'cgcnn'?" in learning(hits={**wish, "compare": "cgcn"})
    assert "remove it, or set task: regression" in learning(hits=wish, task="classification")


def test_a_target_of_a_potential_needs_it_and_one_of_its_results():
    """A target of chgnet is no column of the index; another name would have been found missing by the first job."""
    given = {"target": "energy_above_hull_ev_per_atom", "target_from": "chgnet"}
    assert not learning(chgnet={}, **given)
    assert "predict.target_from: no potential 'chgnet' in the section 'predict'; add 'chgnet: {}'" in learning(**given)
    assert "did you mean 'chgnet'" in learning(chgnet={}, **{**given, "target_from": "chgnt"})
    why = learning(chgnet={}, **{**given, "target": "energy_above_hull"})
    assert "a potential gives no 'energy_above_hull'; did you mean 'energy_above_hull_ev_per_atom'" in why


def test_a_classification_has_no_transform():
    assert "set transform: none" in learning(transform="log", task="classification")
    why = learning(magpie_trees={"transform": "log"}, task="classification")
    assert "predict.magpie_trees.transform: a classification" in why
    assert not learning(magpie_trees={"transform": "log"})


def restoring(ingest: dict, **methods) -> dict:
    values = {"title": "mine", "ingest": ingest, "restore": methods}
    return {"mine": study.validate(values, Path("config/studies/mine.yaml"))}


@pytest.mark.parametrize(
    ("ingest", "methods", "words"),
    [
        ({"files": {"path": "*.tif"}}, {"unet_restore": {}}, "add 'clean: <folder or glob>'"),
        ({"scenes": {}}, {"unet_restore": {}}, "keep_clean: true"),
        ({"scenes": {}}, {"oracle": {}}, "it takes clean images"),
        ({"scenes": {}}, {"unet_restore": {"degrade": {"dose": [9, 1]}}}, "is no range"),
        ({"scenes": {}}, {"translate": {}}, "two domains of images"),
        ({"scenes": {}}, {"histogram": {}}, "two domains of images"),
        ({"scenes": {}}, {"translate": {"source": ["a*"], "target": ["a*"]}}, "share a pattern"),
        ({"scenes": {}}, {"translate": {"target": ["a*"], "keep": [[9, 1]]}}, "is no range"),
        ({"scenes": {}}, {"erosion": {"range": [9, 1], "fill": 0, "ratio": 0.5}}, "is no range"),
        ({"growth": {"imaging": {"keep_clean": True}}}, {"unet_restore": {}}, "'growth' keeps no clean images"),
        ({"catalog": {"set": "superalloy_nasa"}}, {"oracle": {}}, "the set 'superalloy_nasa' has no clean images"),
        ({"scenes": {}}, {"tv": {"of": "restore.super_resolution_cubic"}, "super_resolution_cubic": {}}, "more pixels"),
    ],
)
def test_restorations_without_what_they_learn_from_are_refused(ingest, methods, words):
    found = checks.faults(restoring(ingest, **methods), "mine")
    assert len(found) == 1 and words in found[0][1] and found[0][0][:2] == ["restore", next(iter(methods))]


def test_bundles_of_an_image_and_its_clean_one_are_pairs(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.zeros((40, 40)), clean=np.zeros((40, 40)))
    assert not checks.faults(restoring({"files": {"path": str(tmp_path)}}, unet_restore={}, clean={}), "mine")


def test_labels_of_more_pixels_than_the_truth_are_not_scored():
    for points, refused in (("measured", True), ("thinned", False)):
        made = restoring({"scenes": {}}, super_resolution_cubic={"points": points})["mine"]
        values = {**made, "segment": {"otsu": {"of": "restore.super_resolution_cubic"}}, "quantify": {"scores": {}}}
        mine = {"mine": study.validate(values, Path("config/studies/mine.yaml"))}
        found = checks.faults(mine, "mine")
        assert bool(found) == refused and (not refused or "more pixels than the truth" in found[0][1])


@pytest.mark.parametrize(
    "methods",
    [
        {"noise2void": {}},
        {"translate": {"target": ["a*"]}},
        {"unet_restore": {"degrade": {}}},
        {"unet_restore": {"weights": "w.safetensors"}},
    ],
)
def test_restorations_that_need_no_pairs_are_let_through(methods, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.safetensors").touch()
    (tmp_path / "w.json").write_text('{"method": "unet_restore"}')
    assert not checks.faults(restoring({"files": {"path": "*.tif"}}, **methods), "mine")


@pytest.mark.parametrize(
    ("segment", "phases", "words"),
    [
        ({"unet": {"weights": "no/such.safetensors"}}, ("a", "b"), "there is no file 'no/such.safetensors' (weights)"),
        ({"unet": {"initial_weights": "no.safetensors"}}, ("a", "b"), "there is no file 'no.safetensors' (weights)"),
        (
            {"fcn": {"weights": PIXELS}},
            ("matrix", "secondary", "tertiary"),
            "are of method 'unet'; apply them by 'unet'",
        ),
        ({"unet": {"weights": PIXELS}}, ("a", "b"), "the study has a, b; give the study the phases of the weights"),
    ],
)
def test_weights_that_cannot_be_used_stop_before_the_first_job(segment, phases, words):
    assert words in refusal(ingest={"gamma_prime": {}}, segment=segment, phases=list(phases))


def test_a_training_may_start_from_weights_of_other_phases(tmp_path):
    start = {"ingest": {"gamma_prime": {}}, "phases": ["a", "b"]}
    assert not refusal(segment={"unet": {"initial_weights": PIXELS}}, **start)
    alone = tmp_path / "w.safetensors"
    alone.touch()
    assert "(card of the weights); correct the path" in refusal(segment={"unet": {"weights": str(alone)}}, **start)


@pytest.mark.parametrize(
    ("table", "source", "sections", "reason"),
    [
        ("composition,hardness_hv\nFe,300\n", "compositions",
         {"target": "hardnes_hv", "features": ["composition.magpie"]},
         "predict.target: there is no column 'hardnes_hv' in the index; did you mean 'hardness_hv'"),
        ("Ni,Al,y\n0.9,0.1,3\n", "compositions", {"target": "y", "features": ["index.x_Ni", "index.melt"]},
         "predict.features: there is no column 'melt'"),
        ("Ni,Al,y\n90,10,3\n", "compositions", {"target": "y", "targets": ["z"], "features": ["index.x_Ni"]},
         "has no column 'z'"),
        ("smiles,bond_index,bde\nCC,0,90\n", "molecules", {"target": "bdfe", "features": ["bond.environment"]},
         "predict.target: there is no column 'bdfe' in the index; did you mean 'bde'"),
    ],
)  # fmt: skip
def test_columns_that_a_table_of_items_lacks_are_refused(tmp_path, table, source, sections, reason):
    (tmp_path / "table.csv").write_text(table)
    asked = {"targets": sections["targets"]} if "targets" in sections else {}
    predict = {name: value for name, value in sections.items() if name not in asked} | {"mean": {}}
    ingest = {"path": str(tmp_path / "table.csv"), **asked}
    assert reason in refusal({source: ingest}, segment=None, quantify=None, predict=predict)


@pytest.mark.parametrize("source", ["files", "sheet"])
@pytest.mark.parametrize(
    ("section", "says"),
    [
        (
            {"restore": {"translate": {"target": ["recoded_*"]}}},
            "restore.translate.target: 'recoded_*' matches no item;",
        ),
        (
            {"restore": {"histogram": {"target": ["*"], "source": ["x"]}}},
            "restore.histogram.source: 'x' matches no item",
        ),
        ({"restore": {"noise2void": {"hold_out": ["b"]}}}, "restore.noise2void.hold_out: 'b' matches no item and no"),
        ({"restore": {"noise2void": {"hold_out": ["recorded", "simulated_2"]}}}, "restore.noise2void.hold_out: 'simu"),
        ({"restore": {"noise2void": {"hold_out": ["*_1"]}}}, ""),
        ({"restore": {"translate": {"target": ["recorded_?"], "hold_out": ["*_1"]}}}, ""),
    ],
)
def test_patterns_that_match_no_item_are_refused(tmp_path, source, section, says):
    names = ["recorded_1", "recorded_2", "simulated_1"]
    for name in names:
        (tmp_path / f"{name}.png").touch()
    rows = "".join(f"{name}.png,{name.split('_')[0]}\n" for name in names)
    (tmp_path / "sheet.csv").write_text("file,group\n" + rows)
    files = {"path": f"{tmp_path}/*.png", "group": "(.*)_"}
    given = made(ingest={source: files if source == "files" else {"path": str(tmp_path / "sheet.csv")}}, **section)
    found = [f"{'.'.join(keys)}: {reason}" for keys, reason in checks.faults({"mine": given}, "mine")]
    assert found == [] if not says else found[0].startswith(says) and "; some are " in found[0]
    for every in (["*"], ["recorded", "simulated"], ["*_1", "*_2"], ["recorded_*", "simulated"]):
        held = made(ingest=given["ingest"], restore={"noise2void": {"hold_out": every}})
        assert "every item is held out" in checks.faults({"mine": held}, "mine")[0][1]


@pytest.mark.parametrize("source", ["files", "sheet"])
def test_all_groups_may_be_held_out_where_items_without_a_group_are_left(tmp_path, source):
    for name in ("new_1", "new_2", "a", "b"):
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "sheet.csv").write_text("file,group\nnew_1.png,new\nnew_2.png,new\na.png,\nb.png,\n")
    files = {"path": f"{tmp_path}/*.png", "group": "(new)_"}
    ingest = {source: files if source == "files" else {"path": str(tmp_path / "sheet.csv")}}
    held = made(ingest=ingest, restore={"noise2void": {"hold_out": ["new"]}})
    assert checks.faults({"mine": held}, "mine") == []


def test_a_method_without_training_may_choose_its_threshold_on_nothing(tmp_path):
    (tmp_path / "masks").mkdir()
    for path in (tmp_path / "a.png", tmp_path / "masks" / "a.png"):
        path.touch()
    files, found = {"path": f"{tmp_path}/*.png", "masks": f"{tmp_path}/masks"}, []
    for name in ("blobs", "boxes"):
        held = made(ingest={"files": files}, detect={name: {"hold_out": ["*"]}})
        found.append(checks.faults({"mine": held}, "mine"))
    assert found[0] == [] and "every item is held out" in found[1][0][1]


def test_a_loop_over_a_table_needs_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text("formula,gap\nNaCl,1\nKCl,2\n")
    table = {"compositions": {"path": str(tmp_path / "a.csv"), "targets": ["gap"]}}
    known = {"objectives": {"gap": "maximize"}, "features": ["composition.formula"], "greedy": {}}
    assert refusal(table, acquire=known) == ""
    wrong = refusal(table, acquire={**known, "objectives": {"gapp": "maximize"}})
    assert "acquire.objectives: there is no column 'gapp' in the index; did you mean 'gap'?" in wrong
    assert "acquire.features: there is no column 'formul'" in refusal(
        table, acquire={**known, "features": ["composition.formul"]}
    )
    limits = {"constraints": {"density": {"max": 8}}}
    assert "acquire.constraints: there is no column 'density'" in refusal(table, acquire={**known, **limits})
