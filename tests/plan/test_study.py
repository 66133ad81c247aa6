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
        ("shards: 3", "shards: 2.5", r"ingest\.shards: '2\.5' is not a whole number"),
        ("shards: 3", "shards: '3'", r"ingest\.shards: '3' is a text; write 3, without quotes"),
        ("shards: 3", "shards: 3,5", r"ingest\.shards: '3,5' is not a whole number; write 3\.5, with a decimal point"),
        ("shards: 3", "shards: 08", r"ingest\.shards: '08' is a text; write 8, without quotes"),
        ("shards: 3", "shards: 1,000", r"write 1000, or 1\.000 if the comma is decimal"),
        ("shards: 3", "shards: 010", r"mine\.yaml:5: YAML reads 010 as the number 8; write that, or '010' in quotes"),
        ("shards: 3", "shards: 1:30", r"mine\.yaml:5: YAML reads 1:30 as the number 90"),
        ("shards: 3", "shards: many", r"mine\.yaml:5: ingest\.shards: 'many' is not a whole number \(number of par"),
        ("[matrix, particle]", "[matrix, 7]", r"mine\.yaml:3: phases\.1: YAML reads 7 as a number; write '7', in quo"),
        ("[matrix, particle]", "[no, off]", r"phases\.0: YAML reads no as true or false; write 'no', in quotes"),
        (
            "[matrix, particle]",
            "matrix, particle",
            r"phases: matrix, particle is not a list; write \[matrix, part",
        ),
        ('"x/*.png"}', '"x/*.png", spacing_um: 0.2}', r"spacing_um: 0\.2 is not a list.*; write \[0\.2, 0\.2\]"),
        (
            "title: a study",
            "title: 2026-11-29",
            r"title: YAML reads 2026-11-29 as a date; write '2026-11-29', i",
        ),
        ("title: a study", "title:", r"title: it has no value; write a text"),
        ("title: a study", "title: a: b", r"mine\.yaml:2: not valid YAML: .*a text with ': ' needs quotes"),
        ("title: a study", "title: a\n? [b]\n: c", r"mine\.yaml:3: a list or mapping stands as a key"),
        ("title: a study", "title: a\n---\ntitle: b", r"a file has one study; remove the line ---"),
        (
            "title: a study",
            "title: a\nmain_table: nope",
            r"main_table: this study writes no table 'nope'; allowed:",
        ),
        ('"x/*.png"}', '"x/*.png", pixel_size_um: 0.25 um}', r"write 0\.25, without a unit: the name of the option"),
        ('"x/*.png"}', '"x/*.png", pixel_size_um: 0,25}', r"unknown option '25'; within braces a comma separates"),
        ('"x/*.png"}', '"x/*.png", pixel_size_um: .inf}', r"files\.pixel_size_um: inf is not finite; write a number"),
        ('"x/*.png"}', '"x/*.png", pixel_size_um: 0}', r"pixel_size_um: 0 is too small; it has to be above 0"),
        ('"x/*.png"}', '"C:\\Users"}', r"a backslash within double quotes is special; use single quotes"),
        ('{path: "x/*.png"}', '"x"', r"ingest\.files: x is not a mapping \(key: value\); write files: \{path: x\}"),
        ('  files: {path: "x/*.png"}', "  path: x", r"unknown method 'path'; it is an option of files, sheet, cells"),
        (
            "segment:\n  otsu:\n",
            "segment: [otsu]\n",
            r"write each method as a key below 'segment', without a dash",
        ),
        ("otsu:", "otsu: {foreground: off}", r"otsu\.foreground: 'off' is not one of the choices; allowed: bright, d"),
        (
            "otsu:",
            "otsu: {sigma_px: [1, 2]}",
            r"a variant for each: otsu\.a: \{sigma_px: 1\}, otsu\.b: \{sigma_px: 2\}",
        ),
        ("otsu:", "otsu: {classes: 3}", r"unknown option 'classes'; it is an option of multi_otsu, kmeans; allowed"),
        ("otsu:", "otsu-dark:", r"unknown method 'otsu-dark'; write a variant of 'otsu' as otsu\.dark, in lower case"),
        ("segment:\n", "otsu: {}\nsegment:\n", r"unknown key 'otsu'; it is a method of 'segment': write it below 's"),
        ("  otsu:", "\u00a0 otsu:", r"the line has a no-break space: retype it"),
        ("[matrix, particle]", "[matrix, 7a]", r"mine\.yaml:3: phases\.1: '7a' does not fit \(names of the phases"),
        ("shards: 3", "shards: 0", r"ingest\.shards: 0 is too small; the smallest value is 1"),
        ('  files: {path: "x/*.png"}\n', "", r"exactly one ingest method; found none"),
        ("fractions: {}", "fractions: {}\n  fractions: {}", r"mine\.yaml:11: key 'fractions' is written twice"),
        ("title: a study", "", r"'title' is missing; add it: one line"),
        ("phases: [matrix, particle]", "phases: [a, a]", r"phases: 'a' is in the list twice; keep one"),
        ("segment:\n  otsu:\n", "", r"quantify: 'quantify' works on what 'segment' makes"),
        ("title: a study", 'title: "a study', r"mine\.yaml:\d+: not valid YAML"),
        ("otsu:", "unet: {epochs: [1, 2]}", r"a variant for each: unet\.a: \{epochs: 1\}, unet\.b: \{epochs: 2\}"),
        ('path: "x/*.png"', "path: [a, b]", r"files\.path: '\[a, b\]' is not a text \(a file"),
        ("  otsu:", "\totsu:", r"mine\.yaml:8: not valid YAML: .*it begins with a tab"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place_and_the_remedy(load, old, new, message):
    assert old in GOOD
    with pytest.raises(study.StudyError, match=message):
        load(GOOD.replace(old, new, 1))


def test_numbers_that_yaml_reads_as_another_type_are_taken_as_what_they_are(load):
    """YAML 1.1 reads 1e-3 as a text, and 3.0 is a float, with which a job would fail."""
    found = load(
        GOOD.replace("shards: 3", "shards: 3.0").replace('png"}', 'png", pixel_size_um: 1e-3, max_pixels: 1e9}')
    )
    assert found["ingest"]["shards"] == 3 and isinstance(found["ingest"]["shards"], int)
    assert found["ingest"]["files"]["pixel_size_um"] == 0.001
    assert found["ingest"]["files"]["max_pixels"] == 10**9 and isinstance(found["ingest"]["files"]["max_pixels"], int)


def test_a_study_of_no_mapping_is_named_by_what_it_is(load):
    for text, kind in (("", "'title' is missing"), ("- a", "this file is a list"), ("a", "this file is a text")):
        with pytest.raises(study.StudyError, match=kind):
            load(text)


def test_the_main_table_of_predictions_has_their_scores_before_the_items():
    found = study.load("config/studies/wen2021_bondnet.yaml")
    assert study.main_table(found) == "errors.csv"
    assert study.main_table(study.load("config/studies/matbench_steels.yaml")) == "benchmark.csv"


def test_a_main_table_may_end_in_csv(load):
    assert study.main_table(load(GOOD + "main_table: items.csv\n")) == "items.csv"


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


def test_two_files_of_one_study_are_refused(tmp_path):
    for ending in ("yaml", "yml"):
        (tmp_path / f"alloy.{ending}").write_text(GOOD)
    with pytest.raises(study.StudyError, match=r"alloy\.yml: there is also .*alloy\.yaml"):
        study.load_all("alloy", tmp_path)


def test_a_study_may_be_named_by_its_file(tmp_path):
    (tmp_path / "alloy.yaml").write_text(GOOD)
    for name in ("alloy.yaml", str(tmp_path / "alloy.yaml"), "alloy,alloy.yaml"):
        assert list(study.load_all(name, tmp_path)) == ["alloy"]
    with pytest.raises(study.StudyError, match=r"unknown study '/elsewhere/alloy\.yaml'"):
        study.load_all("/elsewhere/alloy.yaml", tmp_path)


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


@pytest.mark.parametrize(
    ("written", "meant"), [("ofical", "official"), ("clustr", "clusters"), ("ood:SparsXcluster", "ood:SparseXcluster")]
)
def test_a_misspelt_split_is_answered_by_the_one_that_was_meant(load, written, meant):
    text = f"{GOOD}predict:\n  target: hardness_hv\n  split: {written}\n  ridge: {{}}\n"
    with pytest.raises(
        study.StudyError, match=rf"split: '{written}' does not fit; did you mean '{meant}'\? allowed: cl"
    ):
        load(text)


CELLS = """title: t
about: a
reference: none
ingest: {superlattices: {lattice: fcc, pairs: [[Au, Cu]], quasi_random_atoms: 8}}
predict: {chgnet: {}}
fit: {compound_energy.au_cu: {elements: [Au, Cu], degree: 1}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lattice: fcc", "lattice: FCC", r"'FCC' is not one of the choices; did you mean 'fcc'\? allowed: bcc, fcc"),
        ("elements: [Au", "elements: [au", r"elements\.0: 'au' is no symbol of an element; did you mean 'Au'\? \(two"),
        ("elements: [Au", "elements: ['79'", r"'79' is no symbol of an element; write it like Cu"),
        ("degree: 1", "degree: 9", r"degree: 9 is too large; the largest value is 3 \(degree of the Redlich-Kister"),
    ],
)
def test_choices_elements_and_options_of_variants_are_answered_by_what_they_are(load, old, new, message):
    with pytest.raises(study.StudyError, match=message):
        load(CELLS.replace(old, new))


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
