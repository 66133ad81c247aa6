"""A wrong setting stops before the first job; its message names the place, the nearest right name and the remedy."""

from pathlib import Path

import pytest
from matlens.plan import study

GOOD = """
title: a study
phases: [matrix, particle]
ingest:
  shards: 3
  files: {path: "x/*.png"}
segment:
  otsu:
quantify:
  fractions: {}
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return study.load(path)

    return load_text


def test_defaults_are_filled_in_for_named_methods_only(load):
    found = load(GOOD)
    assert found["segment"]["otsu"]["foreground"] == "bright"
    assert list(found["segment"]) == ["otsu"]
    assert found["ingest"]["shards"] == 3
    assert study.ingest_method(found) == "files"
    assert study.main_table(found) == "fractions.csv"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "otsu:",
            "otsuu:",
            r"mine\.yaml:8: segment\.otsuu: unknown method 'otsuu'; did you mean 'otsu'\? .*otsu",
        ),
        (
            "otsu:",
            "otsu: {foregrund: dark}",
            r"mine\.yaml:8: .*unknown option 'foregrund'; did you mean 'foreground'",
        ),
        (
            "otsu:",
            "otsu: {foreground: drak}",
            r"'drak' is not one of the choices; did you mean 'dark'\? .*bright",
        ),
        ("segment:", "segmnt:", r"mine\.yaml:7: segmnt: unknown key 'segmnt'; did you mean 'segment'\?"),
        ("shards: 3", "shards: 3e0", r"'3e0' is not of type 'integer'; write 3e\+0, YAML wants the sign"),
        ("shards: 3", "shards: many", r"mine\.yaml:5: ingest\.shards: 'many' is not of type 'integer'"),
        ("[matrix, particle]", "[matrix, 7]", r"mine\.yaml:3: phases\.1: 7 is not .* \(names of the phases"),
        ("[matrix, particle]", "[matrix, 7a]", r"mine\.yaml:3: phases\.1: '7a' does not fit \(names of the phases"),
        ("shards: 3", "shards: 0", r"ingest\.shards: 0 is less than the minimum of 1"),
        ('  files: {path: "x/*.png"}\n', "", r"exactly one ingest method; found none"),
        ("fractions: {}", "fractions: {}\n  fractions: {}", r"mine\.yaml:11: key 'fractions' is written twice"),
        ("title: a study", "", r"'title' is missing; add it: one line"),
        ("phases: [matrix, particle]", "phases: [a, a]", r"phases: .*non-unique"),
        ("segment:\n  otsu:\n", "", r"quantify: 'quantify' works on what 'segment' makes"),
        ("title: a study", 'title: "a study', r"mine\.yaml:\d+: not valid YAML"),
        ("  otsu:", "\totsu:", r"mine\.yaml:8: not valid YAML: .*it begins with a tab"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place_and_the_remedy(load, old, new, message):
    assert old in GOOD
    with pytest.raises(study.StudyError, match=message):
        load(GOOD.replace(old, new, 1))


def test_every_problem_is_told_at_once_in_the_order_of_the_file(load):
    with pytest.raises(study.StudyError) as error:
        load(GOOD.replace("shards: 3", "shards: -1").replace("fractions", "fraction"))
    lines = str(error.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["ingest.shards", "quantify.fraction"]


def test_yaml_cannot_make_python_objects(load):
    with pytest.raises(study.StudyError, match="could not determine a constructor"):
        load("title: !!python/object/apply:os.system ['true']\n")


def test_text_that_is_not_utf8_is_said(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"title: \xff\xfe\n")
    with pytest.raises(study.StudyError, match=r"mine\.yaml: not UTF-8 text: .* at byte 7; save it as UTF-8"):
        study.load(path)


def test_unknown_study_is_answered_with_the_known_ones(tmp_path):
    (tmp_path / "alloy.yaml").write_text(GOOD)
    with pytest.raises(study.StudyError, match=r"unknown study 'aloy'.*did you mean 'alloy'\? allowed: alloy"):
        study.load_all("aloy", tmp_path)


def test_studies_are_found_whatever_parts_or_spells_their_names(tmp_path):
    for name in ("alloy.yaml", "steel.yaml", "glass.yml"):
        (tmp_path / name).write_text(GOOD)
    assert list(study.load_all("alloy, steel", tmp_path)) == ["alloy", "steel"]
    with pytest.raises(study.StudyError, match="did you mean 'steel'"):
        study.load_all("STEEL", tmp_path)
    with pytest.raises(study.StudyError, match=r"glass\.yml: rename the file to glass\.yaml"):
        study.load_all("glass", tmp_path)


def test_a_file_name_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "My Alloy.yaml").write_text(GOOD)
    with pytest.raises(study.StudyError, match="rename the file"):
        study.load_all(["My Alloy"], tmp_path)


def test_features_must_be_measures_of_the_study(load):
    text = GOOD + "predict:\n  target: hardness_hv\n  features: [fractoins.area_fraction]\n  ridge: {}\n"
    with pytest.raises(study.StudyError, match=r"mine\.yaml:13: predict\.features: .*did you mean 'fractions'"):
        load(text)
    with pytest.raises(study.StudyError, match=r"predict\.labels: 'otus' is no method of 'segment'; did .*'otsu'"):
        load(text.replace("fractoins", "fractions").replace("  ridge", "  labels: otus\n  ridge"))


def test_options_written_once_for_two_methods_get_the_defaults_of_each():
    shared = {"epochs": 2}
    values = {"title": "x", "ingest": {"scenes": {}}, "restore": {"noise2void": shared, "unet_restore": shared}}
    made = study.validate(values, Path("config/studies/mine.yaml"))["restore"]
    assert "hidden_part" in made["noise2void"] and "degrade" in made["unet_restore"]
    assert "hidden_part" not in made["unet_restore"] and shared == {"epochs": 2}
