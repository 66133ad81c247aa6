"""The references of a report: of the methods, programs and data of a study."""

from pathlib import Path

import pytest
from matlens.plan import references, stages, study
from matlens.registry import table
from matlens.report import sources

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Source: T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301, eqs. 5\nand 6.",
         ["T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301"]),
        ("as K. Choudhary, B. DeCost, npj Comput.\n    Mater. 7 (2021) 185 use it",
         ["K. Choudhary, B. DeCost, npj Comput. Mater. 7 (2021) 185"]),
        ("Z. Li et al., ICLR 2021, fig. 2; J.-Y. Zhu et al., arXiv:1703.10593.",
         ["Z. Li et al., ICLR 2021", "J.-Y. Zhu et al., arXiv:1703.10593"]),
        ("as in two-scale networks (P. Isola et al., CVPR 2017)", ["P. Isola et al., CVPR 2017"]),
        ("chords in 3D. E. E. Underwood, Quantitative Stereology (1970)",
         ["E. E. Underwood, Quantitative Stereology (1970)"]),
        ("(N. Srinivas et al., ICML (2010) 1015)", ["N. Srinivas et al., ICML (2010) 1015"]),
        ("Smooth an image by a Gaussian of width s, in pixels.", []),
    ],
)  # fmt: skip
def test_references_are_found_in_docstrings(text, found):
    assert sources.references(text) == found


def test_a_study_names_the_sources_of_its_methods_programs_and_data():
    one = study.load(ROOT / "config/studies/xie2018_cgcnn.yaml")
    lines = {names: line["text"] for line in sources.of_methods(references.entries(one)) for names in line["names"]}
    assert lines["predict.cgcnn"].startswith("T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301")
    assert lines["predict.random_forest"] == "L. Breiman, Mach. Learn. 45 (2001) 5"
    assert not any("mean" in name for name in lines)  # a control
    assert "A. Dunn et al., npj Comput. Mater. 6 (2020) 138" in references.data_sets(one)[0]["text"]
    two = study.load(ROOT / "config/studies/dft_references.yaml")
    assert {name for line in references.programs(two) for name in line["names"]} == {"chgnet", "gpaw", "qe"}


def test_every_program_is_a_method_and_every_method_has_readable_docstrings():
    known = {name for stage in stages.STAGES.values() for family in stage.families.values() for name in table(family)}
    assert set(references.PROGRAMS) <= known
    for stage in stages.STAGES.values():
        for family in stage.families.values():
            for entry in table(family).values():
                assert isinstance(sources.of_entry(entry), tuple)
