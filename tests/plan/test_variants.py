"""Variants of a method, and `of`: their names, the paths of their files, refusals."""

from types import SimpleNamespace

import pytest
from matlens import registry
from matlens.learn import features
from matlens.plan import checks, figures, outputs, paths, stages
from matlens.plan.entries import Output, Stage
from matlens.plan.rules import Plan
from matlens.plan.stages import STAGES
from matlens.store.yaml_files import StudyError

from .studies import made

TWO = {"otsu": {}, "otsu.smooth": {"sigma_px": 3.0}, "unet": {}, "unet.wide": {"width": 32}}


class Wildcards(SimpleNamespace):
    """The wildcards of a job, as Snakemake gives them."""

    def __getitem__(self, key):
        return getattr(self, key)

    def items(self):
        return vars(self).items()


def refusal(**sections) -> str:
    studies = {"mine": made(**sections)}
    return "\n".join(f"{'|'.join(map(str, keys))}: {why}" for keys, why in checks.faults(studies, "mine"))


def test_a_variant_has_the_options_and_defaults_of_its_method():
    found = made(segment=TWO)["segment"]
    assert list(found) == list(TWO)
    assert (found["unet"]["width"], found["unet.wide"]["width"]) == (16, 32)
    assert found["otsu"]["sigma_px"] == 1.0 and found["otsu.smooth"]["foreground"] == "bright"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"segment": {"unet.wide": {"wide": 32}}}, "segment.unet.wide.wide: unknown option 'wide'; did you mean 'wi"),
        ({"segment": {"unett.wide": {}}}, "segment.unett.wide: unknown method 'unett.wide'; did you mean 'unet'"),
        ({"segment": {"unet.Wide": {}}}, "segment.unet.Wide: unknown method 'unet.Wide'"),
        ({"segment": {"unet.a.b": {}}}, "unknown method 'unet.a.b'"),
        ({"segment": {"otsu": {"of": 3}}}, "segment.otsu.of"),
        ({"segment": {"otsu": {}}, "quantify": {"fractions": {"of": []}}}, "quantify.fractions.of"),
        ({"segment": {"otsu": {}}, "predict": {"mean": {"of": "otsu"}}}, "predict.mean.of: unknown option 'of'"),
        ({"predict": {"target.wide": "x"}}, "predict.target.wide: unknown method"),
    ],
)  # fmt: skip
def test_wrong_variants_are_answered_with_the_right_names(section, message):
    with pytest.raises(StudyError) as told:
        made(**section)
    assert message in str(told.value)


def test_names_of_tables_paths_and_figures_are_those_of_variants():
    settings = made(
        segment=TWO, quantify={"regions": {}, "regions.fine": {"min_area_px2": 1.0}, "fractions": {}},
        figures={"sizes": {}, "sizes.fine": {}, "losses": {}},
    )  # fmt: skip
    assert outputs.tables(settings) == ["items", "rejected", "regions", "regions.fine", "fractions"]
    drawn = paths.drawable("mine", settings)
    assert list(drawn["history"]) == ["unet", "unet.wide"]
    assert drawn["regions.fine"]["otsu.smooth"] == "results/mine/quantify/otsu.smooth/regions.fine/all.parquet"
    assert not list(figures.lacking(settings, "mine"))
    plan = Plan({"mine": settings})
    needs = plan.figure_needs(Wildcards(study="mine", figure="sizes.fine"))
    assert needs["regions"] == drawn["regions.fine"]
    assert "results/mine/figures/sizes.fine.svg" in plan.all_pictures()
    code = {name: plan.figure_code(Wildcards(figure=name)) for name in ("sizes", "sizes.fine", "losses")}
    assert code["sizes.fine"] == code["sizes"] != code["losses"]
    assert list(paths.stacked("mine", settings, "regions.fine")) == list(TWO)
    lost = paths.rejected("mine", settings)
    assert "results/mine/quantify/unet.wide/rejected_regions.fine/0001.parquet" in lost


def test_a_pattern_takes_a_method_with_or_without_variant_and_a_table_is_asked_for_the_method():
    import re

    expression = re.compile(registry.pattern({"unet": "", "unetpp": ""}))
    assert all(expression.fullmatch(name) for name in ("unet", "unetpp", "unet.wide", "unetpp.x_1"))
    assert not any(expression.fullmatch(name) for name in ("unet.", "unet.a.b", "unett", "unet/x", "wide"))
    assert registry.load({"join": "os.path:join"}, "join.fast").__name__ == "join"
    with pytest.raises(KeyError, match="unknown method 'jion'; did you mean 'join'"):
        registry.load({"join": "os.path:join"}, "jion.fast")


def test_code_and_weights_of_a_variant_are_those_of_its_method_under_its_own_name():
    plan = Plan({"mine": made(segment=TWO)})
    wide = Wildcards(study="mine", method="unet.wide", shard="0000")
    plain = Wildcards(study="mine", method="unet", shard="0000")
    from matlens import segment

    code = plan.trained_code("segment", segment.METHODS)
    assert code(wide) == code(plain)
    assert plan.weights("segment")(wide) == "results/mine/segment/unet.wide/weights/all.safetensors"
    assert plan.card("segment")(wide) == "results/mine/segment/unet.wide/card/all.json"
    assert plan.gpus("segment", ["unet"])(wide) == 1


def test_weights_are_borrowed_from_variants():
    lender = made("lender", segment={"unet.wide": {"width": 32}})
    borrower = made(segment={"unet": {"weights": "lender/unet.wide"}})
    studies = {"mine": borrower, "lender": lender}
    assert not checks.faults(studies, "mine")
    found = Plan(studies).weights("segment")(Wildcards(study="mine", method="unet"))
    assert found == "results/lender/segment/unet.wide/weights/all.safetensors"
    assert "'lender/unet' is not a method" in refusal(segment={"unet": {"weights": "lender/unet"}})


def test_a_feature_is_of_the_longest_name_that_fits():
    names = ["regions", "regions.fine", "fractions"]
    assert features.origin("regions.fine.area_um2", names) == ("regions.fine", "area_um2")
    assert features.origin("regions.area_um2@phase", names) == ("regions", "area_um2@phase")
    assert features.origin("index.age_h", names) == ("index", "age_h")
    assert features.origin("regions.finest", names) == ("regions", "finest")
    settings = made(
        segment=TWO, quantify={"regions": {"of": "otsu"}, "regions.fine": {"of": "otsu.smooth"}},
        predict={"target": "age_h", "features": ["regions.fine.area_px2"], "mean": {}},
    )  # fmt: skip
    assert not checks.faults({"mine": settings}, "mine")
    found = Plan({"mine": settings}).feature_tables(Wildcards(study="mine"))
    assert found == ["results/mine/quantify/otsu.smooth/regions.fine/all.parquet"]


def test_features_of_two_segmentations_are_refused():
    asked = {"target": "age_h", "features": ["regions.area_px2", "fractions.area_fraction"], "mean": {}}
    measures = {"regions": {"of": "otsu"}, "fractions": {"of": "unet"}}
    assert "predict|features: 'regions' is measured of otsu; take features of one" in refusal(
        segment=TWO, quantify=measures, predict=asked
    )
    named = {**asked, "features": ["regions.area_px2"], "labels": "unet"}
    assert "'regions' is measured of otsu, not of 'unet'" in refusal(segment=TWO, quantify=measures, predict=named)


def test_measures_are_made_of_the_segmentations_that_they_name_and_of_all_without():
    settings = made(
        segment=TWO,
        quantify={"fractions": {}, "regions": {"of": ["unet.wide", "segment.otsu"]}, "scores": {"of": "unet"}},
    )
    assert outputs.measured(settings, "quantify", "fractions") == list(TWO)
    assert outputs.measured(settings, "quantify", "regions") == ["otsu", "unet.wide"]
    assert list(paths.stacked("mine", settings, "regions")) == ["otsu", "unet.wide"]
    assert list(paths.stacked("mine", settings, "scores")) == ["unet"]
    assert not checks.faults({"mine": settings}, "mine")
    lost = [path for path in paths.rejected("mine", settings) if "rejected_scores" in path]
    assert lost == [f"results/mine/quantify/unet/rejected_scores/{shard}.parquet" for shard in ("0000", "0001")]


@pytest.mark.parametrize(
    ("quantify", "reason"),
    [
        ({"regions": {"of": "unnet"}}, "quantify|regions|of: this study makes no 'unnet'; did you mean 'unet'?"),
        ({"regions": {"of": ["otsu", "unet.wider"]}}, "this study makes no 'unet.wider'; did you mean 'unet.wide'?"),
        ({"regions": {"of": "ingest.gamma_prime"}}, "this study makes no 'ingest.gamma_prime'"),
        ({"regions": {"of": "otsu"}, "growth": {}}, "quantify|growth: works on the table of 'regions', which is not"),
    ],
)  # fmt: skip
def test_a_measure_of_what_the_study_does_not_make_is_refused(quantify, reason):
    assert reason in refusal(segment=TWO, quantify=quantify)


def test_a_series_works_on_the_measures_of_its_own_variant():
    settings = made(
        segment={"otsu": {}},
        quantify={"regions": {}, "regions.fine": {"min_area_px2": 1.0}, "growth": {}, "growth.fine": {}},
    )
    plan = Plan({"mine": settings})
    tables = [
        plan.series_tables(Wildcards(study="mine", method="otsu", measure=name)) for name in ("growth", "growth.fine")
    ]
    folder = "results/mine/quantify/otsu"
    assert tables == [[f"{folder}/regions/all.parquet"], [f"{folder}/regions.fine/all.parquet"]]


@pytest.fixture
def restore(monkeypatch):
    """Add a stage that gives images, and let segment work on them: one entry, and one word in another."""
    package = type(registry)("matlens.restore")
    package.METHODS = {"denoise": "matlens.restore.denoise:restore", "deblur": "matlens.restore.deblur:restore"}
    monkeypatch.setitem(__import__("sys").modules, "matlens.restore", package)
    entry = Stage(
        "images to images", {"methods": "matlens.restore:METHODS"}, (Output("images", "{shard}.zarr.zip"),),
        kinds=("images",), takes="images", of=("ingest", "restore"),
    )  # fmt: skip
    segment = stages.STAGES["segment"]
    changed = {name: stage for name, stage in STAGES.items() if name in ("ingest", "connect")}
    changed |= {"restore": entry, "segment": type(segment)(**{**vars(segment), "of": ("ingest", "restore")})}
    for name in STAGES:
        changed.setdefault(name, STAGES[name])
    for module in (stages, outputs):
        monkeypatch.setattr(module, "STAGES", changed)
    registry.table.cache_clear()
    yield
    registry.table.cache_clear()


def test_of_names_the_images_that_a_method_works_on(restore):
    settings = made(segment={"unet": {}, "unet.denoised": {"of": "restore.denoise.strong"}}, quantify={"fractions": {}})
    settings["restore"] = {"denoise.strong": {}, "deblur": {"of": "restore.denoise.strong"}}
    assert not checks.faults({"mine": settings}, "mine")
    plan = Plan({"mine": settings})
    job = Wildcards(study="mine", method="unet.denoised", shard="0001")
    restored = "results/mine/restore/denoise.strong/images"
    assert plan.images("segment")(job) == f"{restored}/0001.zarr.zip"
    assert plan.images("restore")(Wildcards(study="mine", method="deblur", shard="0000")) == f"{restored}/0000.zarr.zip"
    every = plan.images("segment")(Wildcards(study="mine", method="unet.denoised"))
    assert every == [f"{restored}/0000.zarr.zip", f"{restored}/0001.zarr.zip"]
    plain = Wildcards(study="mine", method="unet", shard="0001")
    assert plan.images("segment")(plain) == "results/mine/ingest/gamma_prime/images/0001.zarr.zip"
    assert plan.measured("quantify")(job) == "results/mine/segment/unet.denoised/labels/0001.zarr.zip"


def test_methods_that_work_on_themselves_and_names_that_nothing_makes_are_refused(restore):
    settings = made(segment={"unet": {"of": "restore.deblur"}})
    settings["restore"] = {"denoise": {"of": "restore.deblur"}, "deblur": {"of": "restore.denoise"}}
    found = checks.faults({"mine": settings}, "mine")
    assert [keys for keys, _ in found] == [["restore", "denoise", "of"], ["restore", "deblur", "of"]]
    assert "'restore.deblur' works on 'denoise' itself" in found[0][1]
    settings["restore"] = {"denoise": {}}
    ((keys, why),) = checks.faults({"mine": settings}, "mine")
    assert keys == ["segment", "unet", "of"]
    assert why.startswith("this study makes no 'restore.deblur'") and "allowed: " in why and "restore.denoise" in why


def test_of_may_name_the_images_of_ingest_themselves():
    settings = made(segment={"otsu": {"of": "ingest.gamma_prime"}})
    assert not checks.faults({"mine": settings}, "mine")
    job = Wildcards(study="mine", method="otsu", shard="0000")
    assert Plan({"mine": settings}).images("segment")(job) == "results/mine/ingest/gamma_prime/images/0000.zarr.zip"
