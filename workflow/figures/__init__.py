"""Finished tables in, ink out.

A figure is `draw(needs..., *, options)`: its positional arguments are its input tables, by name. A measure comes
as a dict of method to DataFrame, `index` as the table of the items, `overlays`, `previews` and `pictures` as dicts of
method to pictures by key, `quality` as a dict of method to DataFrame,
`history`, `field_scores`, `field_quality`, `hot_spots`, `sites` and the tables of predictions as dicts of method to
DataFrame, `verdicts`, `equilibria` and `diagram` as dicts of engine to DataFrame, `bridge` and `expected` as tables,
`structures` as a dict of shard to Crystals, `fields` (of the first solver) and `predicted_fields` (of every network)
as dicts of shard, or of "method/shard", to a function that opens its arrays, `published` as the table of the option
`reference`, or None.
`may` lists inputs that a study need not have; they have a default. It returns a matplotlib Figure; `style` turns that
into the same bytes everywhere.
"""

FIGURES = {
    "overlays": {"draw": "figures.overlays:draw", "needs": ["overlays", "index"]},
    "restoration": {"draw": "figures.restoration:draw", "needs": ["previews", "quality", "index"]},
    "residual_spectra": {"draw": "figures.residual_spectra:draw", "needs": ["quality"]},
    "fractions": {"draw": "figures.fractions:draw", "needs": ["fractions", "index"], "may": ["scores"]},
    "sizes": {"draw": "figures.sizes:draw", "needs": ["regions"]},
    "tracks": {"draw": "figures.tracks:draw", "needs": ["tracks", "missed", "track_frames", "index"]},
    "detections": {
        "draw": "figures.detections:draw",
        "needs": ["detections", "missed", "pictures", "detection_scores", "index"],
    },
    "precision_recall": {"draw": "figures.precision_recall:draw", "needs": ["precision_recall", "detection_summary"]},
    "scores": {"draw": "figures.scores:draw", "needs": ["scores"]},
    "coarsening": {"draw": "figures.coarsening:draw", "needs": ["growth", "coarsening", "index"]},
    "two_point": {"draw": "figures.curves:two_point", "needs": ["two_point"]},
    "lineal_path": {"draw": "figures.curves:lineal_path", "needs": ["lineal_path"]},
    "grain_size": {"draw": "figures.grain_size:draw", "needs": ["grain_size"]},
    "fields": {"draw": "figures.fields:draw", "needs": ["fields"]},
    "conditions": {"draw": "figures.conditions:draw", "needs": ["generated", "generation_quality"]},
    "generated": {"draw": "figures.generated:draw", "needs": ["samples", "generated"]},
    "inverse": {"draw": "figures.inverse:draw", "needs": ["picked", "latent"]},
    "generation_quality": {"draw": "figures.generation_quality:draw", "needs": ["generation_quality"]},
    "field_errors": {"draw": "figures.field_errors:draw", "needs": ["fields", "predicted_fields"]},
    "field_scores": {"draw": "figures.field_scores:draw", "needs": ["field_scores"]},
    "permeability": {"draw": "figures.permeability:draw", "needs": ["effective", "index"]},
    "published_fields": {"draw": "figures.published_fields:draw", "needs": ["field_quality"]},
    "hot_spots": {"draw": "figures.hot_spots:draw", "needs": ["fields", "hot_spots", "field_quality"]},
    "losses": {"draw": "figures.losses:draw", "needs": ["history"]},
    "pareto": {"draw": "figures.pareto:draw", "needs": ["shortlist", "screened"]},
    "verdicts": {"draw": "figures.verdicts:draw", "needs": ["verdicts"]},
    "elasticity": {"draw": "figures.elasticity:draw", "needs": ["verdicts"]},
    "transitions": {"draw": "figures.transitions:draw", "needs": ["transitions", "fitted_cells"]},
    "hull": {"draw": "figures.hull:draw", "needs": ["properties", "index"]},
    "acquisition": {"draw": "figures.acquisition:draw", "needs": ["rounds"]},
    "transfer": {"draw": "figures.transfer:draw", "needs": ["transfer"]},
    "trade_off": {"draw": "figures.trade_off:draw", "needs": ["asked"]},
    "benchmark": {"draw": "figures.benchmark:draw", "needs": ["benchmark"]},
    "hits": {"draw": "figures.hits:draw", "needs": ["hits"]},
    "ood": {"draw": "figures.ood:draw", "needs": ["ood"]},
    "sites": {"draw": "figures.sites:draw", "needs": ["sites", "structures"]},
    "phase_fractions": {"draw": "figures.phase_fractions:draw", "needs": ["equilibria"], "may": ["diagram"]},
    "phase_diagram": {
        "draw": "figures.phase_diagram:draw",
        "needs": ["diagram", "index"],
        "may": ["verdicts", "diagram_band", "equilibria"],
    },
    "bridge": {"draw": "figures.bridge:draw", "needs": ["bridge", "expected"]},
    "predictions": {"draw": "figures.predictions:draw", "needs": ["predictions", "errors", "learning_curve"]},
}
DRAWS = {name: figure["draw"] for name, figure in FIGURES.items()}
