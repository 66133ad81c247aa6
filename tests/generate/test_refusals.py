"""Settings of a generator that cannot work are refused before the first job, with the key and the nearest name."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from matlens.generate import controls, examples, quality, trained, work
from matlens.job.batch import BadItem
from matlens.plan import checks, message, study
from matlens.store.yaml_files import StudyError

from .test_classical import field, of
from .test_quality import SETTINGS

MODEL = {"laths": {"powers_w": [150, 300], "speeds_mm_s": [600], "images": 4, "size_px": [32, 32]}}
PHASES = ["solid", "pore"]


def settings(ingest=MODEL, phases=PHASES, segment=("ground_truth",), **sections):
    found = {"title": "mine", "ingest": copy.deepcopy(ingest), "segment": {name: {} for name in segment}}
    return study.validate({**found, "phases": phases, **sections}, Path("config/studies/mine.yaml"))


def refusal(ingest=MODEL, others=None, phases=PHASES, segment=("ground_truth",), **given) -> str:
    """Return the first refusal: key, then reason; "" if the study can run."""
    sections = {"generate": {"ddpm": {}, **given}} if given else {}
    found = checks.faults({"mine": settings(ingest, phases, segment, **sections), **(others or {})}, "mine")
    return "\n".join(f"{'.'.join(map(str, keys))}: {why}" for keys, why in found)


LATHS = {"conditions": ["laser_power_w"]}
CASES = {
    "a misspelt condition of a model": (
        {"conditions": ["laser_powr_w"]},
        "generate.conditions: there is no column 'laser_powr_w' in the index; did you mean 'laser_power_w'?",
    ),
    "a condition of another model": ({"conditions": ["strain"]}, "there is no column 'strain' in the index"),
    "a text": ({"conditions": ["item"]}, "generate.conditions: 'item' holds no number"),
    "an unseen condition that is not there": (
        {**LATHS, "unseen": [{"laser_power_w": 275}]},
        "generate.unseen.0: no real image has this condition; there are laser_power_w 150, 300",
    ),
    "nothing left to learn from": (
        {**LATHS, "unseen": [{"laser_power_w": 150}, {"laser_power_w": 300}]}, "generate.unseen: every real image has",
    ),
    "tiles larger than images": ({"size_px": [64, 64]}, "generate.size_px: images of the source are [32, 32] pixels"),
    "a size that cannot be halved": (
        {"size_px": [18, 32]}, "generate.ddpm: it halves images 2 times, and they are [18, 32] pixels",
    ),
    "patches that do not fit": (
        {"quilting": {"patch_px": 40, "overlap_px": 5}}, "generate.quilting.patch_px: a patch of 40 pixels",
    ),
    "patches as large as their overlap": ({"quilting": {"patch_px": 8, "overlap_px": 8}}, "larger than its overlap"),
}  # fmt: skip


def test_a_column_named_like_the_measured_fraction_is_not_passed_over_in_silence(tmp_path):
    (tmp_path / "sheet.csv").write_text("file,truth_file,fraction\na.tif,b.png,0.3\n")
    sheet = {"sheet": {"path": str(tmp_path / "sheet.csv")}}
    assert "'fraction' is measured on the labels, and the source has a column" in refusal(
        sheet, conditions=["fraction"]
    )
    (tmp_path / "sheet.csv").write_text("file,truth_file,my_fraction\na.tif,b.png,0.3\n")
    assert "measured on the labels" not in refusal(sheet, conditions=["fraction"])


@pytest.mark.parametrize("case", CASES)
def test_settings_that_cannot_work_are_refused(case):
    given, why = CASES[case]
    assert why in refusal(**given)


@pytest.mark.parametrize(
    "given",
    [
        LATHS,
        {"conditions": ["true_lath_width_px", "fraction"]},
        {**LATHS, "unseen": [{"laser_power_w": 300}]},
        {"size_px": [16, 32]},
    ],
)
def test_settings_that_can_work_are_not(given):
    assert refusal(**given) == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["ask", "unseen"])
def test_conditions_that_are_not_finite_are_refused(key, value):
    with pytest.raises(StudyError, match=rf"generate\.{key}\.0\.laser_power_w: {value} is not finite"):
        settings(generate={"ddpm": {}, **LATHS, key: [{"laser_power_w": value}]})


def test_a_list_of_mappings_is_written_as_one():
    with pytest.raises(StudyError, match=r"write \[\{laser_power_w: 150\}\]"):
        settings(generate={"ddpm": {}, **LATHS, "unseen": {"laser_power_w": 150}})
    with pytest.raises(StudyError, match=r"generate\.size_px: 32 is not a list or null; write \[32, 32\]"):
        settings(generate={"ddpm": {}, "size_px": 32})


def test_the_refusal_names_file_line_and_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("config/studies/mine.yaml")
    path.parent.mkdir(parents=True)
    text = ["title: mine", "phases: [a, b]", "ingest:", "  laths: {}", "segment: {ground_truth: {}}", "generate:"]
    path.write_text("\n".join([*text, "  gaussian_field: {}", "  conditions: [lazer_power_w]", ""]))
    studies = study.load_all("mine", path.parent)
    ((keys, why),) = checks.faults(studies, "mine")
    line = message.line("mine", keys, why)
    assert line.startswith("config/studies/mine.yaml:8: generate.conditions:") and "'laser_power_w'" in line


def sheet(folder, header, *rows):
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return {"sheet": {"path": str(path)}}


def test_columns_of_a_sheet_that_hold_texts_or_nothing_are_refused(tmp_path):
    source = sheet(tmp_path, "file,truth_file,alloy,dose,blank", "a.png,a_t.png,In718,1,", "b.png,b_t.png,In738,2,")
    assert refusal(source, conditions=["dose"]) == ""
    assert "generate.conditions: 'alloy' holds no number" in refusal(source, conditions=["alloy"])
    assert "generate.conditions: 'blank' holds no number" in refusal(source, conditions=["blank"])
    assert "did you mean 'dose'?" in refusal(source, conditions=["doses"])
    # the name of a column that only models of microstructure have is known to the dictionary, not to this sheet
    assert "there is no column 'laser_power_w'" in refusal(source, conditions=["laser_power_w"])
    lost = refusal(source, conditions=["dose"], unseen=[{"dose": 3}])
    assert "generate.unseen.0: no real image has this condition; there are dose 1, 2" in lost


def test_a_sheet_that_marks_no_row_as_train_is_refused(tmp_path):
    def reason(*splits):
        rows = (
            f"{name}.png,{name}_t.png,{k},{split}" for k, (name, split) in enumerate(zip("abc", splits, strict=True))
        )
        return refusal(sheet(tmp_path, "file,truth_file,dose,split", *rows), conditions=["dose"])

    assert reason("train", "test", "") == "" and reason("", "", "") == ""
    assert "ingest.sheet: its column 'split' has test, val and no 'train'" in reason("val", "test", "")


WRITTEN = {
    "100 °C": "has a unit: write the number, its unit in the column's name",
    "30 %": "has a unit",
    "1,5": "has a decimal comma",
    "\u2212100": "begins with a minus sign that is no hyphen",
    "2026-11-30": "is a date: write the days or hours",
    "30.11.2026": "is a date",
    "100-110": "is a range: write its middle",
    "> 5": "has a sign before the number",
    "True": "is true or false: write 1 and 0",
    "hot": "give each text a number",
}


@pytest.mark.parametrize("cell", WRITTEN)
def test_the_refusal_of_a_text_says_how_to_write_it_as_a_number(tmp_path, cell):
    source = sheet(tmp_path, "file;truth_file;dose", f"a.png;a_t.png;{cell}", f"b.png;b_t.png;{cell}")
    assert ("generate" in refusal(source, conditions=["dose"])) == (cell != "1,5")  # which such a table may have
    quoted = sheet(tmp_path, "file,truth_file,dose", f'a.png,a_t.png,"{cell}"', f'b.png,b_t.png,"{cell}"')
    assert WRITTEN[cell] in refusal(quoted, conditions=["dose"])


def test_numbers_in_file_names_are_compared_with_unseen_conditions(tmp_path):
    for name in ("a_100C", "b_200C"):
        (tmp_path / f"{name}.png").touch()
    files = {"files": {"path": f"{tmp_path}/*.png", "masks": f"{tmp_path}/*.png", "columns": "_(?P<temp_c>[0-9]+)C"}}
    given = {"conditions": ["temp_c"], "size_px": [32, 32]}
    assert refusal(files, **given, unseen=[{"temp_c": 200}]) == ""
    assert "there are temp_c 100, 200" in refusal(files, **given, unseen=[{"temp_c": 150}])
    assert "nothing is learned from" in refusal(files, **given, unseen=[{"temp_c": 100}, {"temp_c": 200}])


def test_a_condition_that_is_no_number_is_rejected_with_its_text():
    row, options = {"item": "a", "dose": "100 C"}, {**SETTINGS, "conditions": ["dose"], "size_px": None}
    with pytest.raises(BadItem, match="its condition 'dose' is '100 C', no finite number"):
        examples.of_item(row, np.ones((8, 8), np.uint8), np.ones((8, 8)), options)
    with pytest.raises(BadItem, match="its condition 'dose' is empty"):
        examples.of_item({**row, "dose": np.nan}, np.ones((8, 8), np.uint8), np.ones((8, 8)), options)


def test_labels_of_a_sheet_or_a_set_without_them_are_refused(tmp_path):
    bare = sheet(tmp_path, "file,dose", "a.png,1")
    assert "generate.ddpm: it learns from the labels" in refusal(bare, conditions=["dose"])
    assert "'truth_file'" in refusal(bare, conditions=["dose"])
    assert refusal(bare, segment=("otsu",), conditions=["dose"]) == ""


def test_generated_sources_that_go_round_or_have_other_phases_are_refused():
    lender = settings(generate={"ddpm": {}, **LATHS})
    given = {"generated": {"study": "other", "method": "ddpm"}}
    assert refusal(given, {"other": lender}) == ""
    assert "did you mean 'other'?" in refusal({"generated": {"study": "othr", "method": "ddpm"}}, {"other": lender})
    assert "ingest.generated.method" in refusal({"generated": {"study": "other", "method": "vae"}}, {"other": lender})
    back = {"generated": {"study": "mine", "method": "ddpm"}}
    round_ = settings(back, generate={"ddpm": {}})
    assert "'other' itself is made from the images of 'mine'" in refusal(given, {"other": round_}, conditions=[])
    three = settings(phases=["a", "b", "c"], generate={"ddpm": {}})
    assert "phases: labels of 'other' are of a, b, c" in refusal(given, {"other": three})
    # conditions of generated images are those that they were asked for
    assert refusal(given, {"other": lender}, conditions=["laser_power_w"]) == ""
    lost = refusal(given, {"other": lender}, conditions=["scan_speed_mm_s"])
    assert "there is no column 'scan_speed_mm_s'" in lost


def test_weights_for_other_conditions_phases_or_sizes_are_refused(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"")
    about = {"method": "vae", "phases": PHASES, "conditions": {"names": ["laser_power_w"]}}
    (tmp_path / "w.json").write_text(json.dumps({**about, "network": {"sides": [32, 32]}}))
    own = {"ddpm": {}, "vae": {"weights": str(tmp_path / "w.safetensors")}}
    assert refusal(**own, **LATHS) == ""
    assert "generate.vae.weights: the weights are for the conditions laser_power_w" in refusal(
        **own, conditions=["scan_speed_mm_s"]
    )
    assert "generate.vae.weights: the weights are of phases solid, pore" in refusal(phases=["a", "b"], **own, **LATHS)
    assert "the weights make images of [32, 32] pixels" in refusal(**own, **LATHS, size_px=[16, 16])
    lent = {"ddpm": {"weights": "other/ddpm"}, "conditions": ["scan_speed_mm_s"]}
    other = settings(generate={"ddpm": {}, **LATHS})
    assert "the weights are for the conditions laser_power_w" in refusal(others={"other": other}, **lent)


def images(rng, number=12):
    return of([field(rng) for _ in range(2 * number)], [1.0] * number + [2.0] * number)


def test_weights_that_learned_elsewhere_are_not_cleared_of_copying():
    real = images(np.random.default_rng(0))
    lost, learned = [], real.where(real.roles == "train")
    card = {"conditions": {"names": ["c"], "known": [[1.0]]}, "data": trained.digest(learned)}

    class Model:
        pass

    Model.card = card
    parts = list(work.generated(controls.copy, real, Model, SETTINGS, {}, ["a", "b"], "generate/copy", lost))
    assert [part.place for part in parts] == ["trained", "extrapolated"]  # by the conditions of the card
    table = work.table([row for part in parts for row in part.rows], SETTINGS)
    labels = np.concatenate([part.labels for part in parts])

    def near(**changes):
        found = work.quality_table(work.judged(labels, table, real, SETTINGS, {**card, **changes}))
        return found[found["measure"].str.startswith("nearest correlation")]

    assert near()["value"].max() == pytest.approx(1, abs=1e-4) and not near()["note"].any()
    assert near(data=1)["value"].isna().all() and near(data=1)["note"].tolist() == [quality.ELSEWHERE]


def test_a_phase_that_is_in_no_real_image_is_refused():
    empty = [(np.zeros((16, 16), np.uint8), np.zeros((16, 16)), (1.0,), "a", f"i{n}") for n in range(3)]
    with pytest.raises(BadItem, match="phase 1 is in no real image"):
        examples.collected(empty, {}, SETTINGS)


def test_a_value_that_is_empty_says_why():
    assert quality.row("a", "b", "m", float("nan"), 1.0, 1, 8)["note"] == quality.FEW
    assert quality.row("a", "b", "m", 1.0, 1.0, 8, 8)["note"] == ""
