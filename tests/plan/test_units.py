"""Numbers in another unit than the name of an option states: the message has the converted number."""

import pytest
from matlens import units
from matlens.plan import study
from matlens.plan.study import SCHEMAS, read_schema

GOOD = """title: t
phases: [matrix, pore]
ingest: {files: {path: "x/*.png"}}
segment: {otsu: {}}
quantify: {regions: {}}
fields:
  properties: {matrix: {youngs_gpa: 210, poisson: 0.3}, pore: {youngs_gpa: 0}}
  loading: {xx: 0.01}
  fft: {}
"""


@pytest.mark.parametrize(
    ("number", "unit", "wanted", "right"),
    [
        (50, "nm", "um", 0.05), (0.5, "µm", "nm", 500), (3, "Å", "nm", 0.3), (2, "um2", "nm2", 2e6),
        (210000, "MPa", "gpa", 210), (355, "N/mm²", "gpa", 0.355), (1200, "°C", "k", 1473.15), (300, "K", "c", 26.85),
        (90, "min", "h", 1.5), (13.605693, "eV", "ry", 1), (4, "W/(cm K)", "w/mk", 400), (1e-5, "cm²/s", "m2/s", 1e-9),
        (1, "mPa s", "pas", 1e-3), (3, "um", "px", None), (3, "um2", "um", None), (3, "apples", "um", None),
    ],
)  # fmt: skip
def test_numbers_of_one_kind_are_converted_and_others_are_not(number, unit, wanted, right):
    assert units.converted(number, unit, wanted) == (None if right is None else pytest.approx(right, rel=1e-9))


@pytest.mark.parametrize(
    ("option", "unit"),
    [
        ("pixel_size_um", "um"), ("min_area_px2", "px2"), ("conductivity_w_per_m_k", "w/mk"), ("viscosity_pa_s", "pas"),
        ("diffusivity_m2_per_s", "m2/s"), ("creep_rate_per_s", ""), ("speeds_mm_s", ""), ("rate_px2_per_h", ""),
        ("force_ev_a", ""), ("within_k", "k"), ("classes", ""), ("poisson", ""), ("transition_c", "c"),
    ],
)  # fmt: skip
def test_the_unit_of_an_option_is_the_end_of_its_name(option, unit):
    assert units.of_option(option) == unit


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('png"}', 'png", pixel_size_um: 50 nm}', "'50 nm' is not a number or null; write 0.05, the number in um"),
        ('png"}', 'png", pixel_size_um: 3 px}', "it is in um, not in px; write the number of um alone"),
        ('png"}', 'png", pixel_size_nm: 50}', "; mind the unit, um: 50 nm are 0.05 um"),
        ("regions: {}", "regions: {min_area_um2: 3}", "did you mean 'min_area_px2'"),
        ("regions: {}", "regions: {min_area_um2: 3}", "; mind the unit, px2"),
        ("gpa: 210,", "gpa: 210000 MPa,", "write 210, the number in GPa, without a unit"),
        ("youngs_gpa: 210,", "youngs_mpa: 210000,", "; mind the unit, GPa: 210000 MPa are 210 GPa"),
        ("poisson: 0.3", "poisson: 30 %", "'30 %' is not a number; write 0.3, a part of 1"),
        ("regions: {}", "tortuosity: {phase: pore}", "and 'pore' has 1; write phase: 1"),
        ("regions: {}", "porosity: {}", "unknown method 'porosity'; did you mean 'fractions'?"),
        ("segment: {otsu", "denoise: {median: {}}\nsegment: {otsu", "did you mean 'restore'?"),
        ("otsu: {}", "cellpose: {}", "unknown method 'cellpose'; did you mean 'imported'?"),
    ],
)
def test_a_number_in_another_unit_is_answered_by_the_converted_one(tmp_path, old, new, message):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert study.load(path)  # the void needs no ratio of Poisson
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(study.StudyError) as error:
        study.load(path)
    assert message in str(error.value), error.value


def test_words_of_the_field_stand_for_names_that_are_there():
    """A word that leads to a name that is no longer there would be passed over."""
    from matlens.plan import outputs
    from matlens.plan.stages import STAGES
    from matlens.predict.folds import DRAWN
    from matlens.synonyms import MEANT

    def words(part):
        """Yield the names of options and the values that they may have."""
        for key, value in part.items() if isinstance(part, dict) else ():
            yield from value if key in ("properties", "enum") else ()
            yield from words(value)

    known = {*STAGES, *DRAWN, "figures", *(name for stage in STAGES for name in outputs.family(stage))}
    known |= {word for path in sorted(SCHEMAS.glob("*.yaml")) for word in words(read_schema(path.name))}
    assert {name for names in MEANT.values() for name in names} <= known
