"""Every figure and table of the report has a caption."""

from pathlib import Path

from figures import FIGURES
from matlens import quantify
from matlens.plan.entries import MEASURE
from matlens.plan.stages import STAGES
from matlens.store.yaml_files import read_yaml

CAPTIONS = read_yaml(Path(__file__).resolve().parents[2] / "workflow/report/captions.yaml")[0]


def test_every_figure_has_a_caption():
    assert set(FIGURES) == set(CAPTIONS["figures"])


def test_every_table_has_a_caption():
    tables = {output.table for stage in STAGES.values() for output in stage.gives if output.table}
    tables |= {"rejected", *quantify.METHODS, *quantify.SERIES}
    assert tables - {MEASURE} == set(CAPTIONS["tables"])
