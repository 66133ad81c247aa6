"""Meaning and unit of every column, as the report shows them."""

from matlens.meanings import (
    ageing,
    alloys,
    detections,
    fields,
    grains,
    items,
    models,
    phases,
    predictions,
    regions,
    spatial,
    thermo,
    tracks,
    verdicts,
)

MEANING = {
    **ageing.MEANING,
    **alloys.MEANING,
    **detections.MEANING,
    **fields.MEANING,
    **grains.MEANING,
    **items.MEANING,
    **models.MEANING,
    **phases.MEANING,
    **predictions.MEANING,
    **regions.MEANING,
    **spatial.MEANING,
    **thermo.MEANING,
    **tracks.MEANING,
    **verdicts.MEANING,
}
