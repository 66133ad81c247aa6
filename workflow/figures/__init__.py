"""Finished tables in, ink out.

A figure is `draw(needs..., *, options)`: its positional arguments are the artefacts it needs, by name. A measure comes
as a dict of method to DataFrame, `index` as the table of the items, `overlays` as a dict of method to pictures by key,
`history` and the tables of predictions as dicts of method to DataFrame, `published` as the table of the option
`reference`, or None.
It returns a matplotlib Figure; `style` turns that into the same bytes everywhere.
"""

FIGURES = {
    "overlays": {"draw": "figures.overlays:draw", "needs": ["overlays", "index"]},
    "fractions": {"draw": "figures.fractions:draw", "needs": ["fractions", "index"]},
    "sizes": {"draw": "figures.sizes:draw", "needs": ["regions"]},
    "scores": {"draw": "figures.scores:draw", "needs": ["scores"]},
    "coarsening": {"draw": "figures.coarsening:draw", "needs": ["growth", "coarsening", "index"]},
    "two_point": {"draw": "figures.curves:two_point", "needs": ["two_point"]},
    "lineal_path": {"draw": "figures.curves:lineal_path", "needs": ["lineal_path"]},
    "grain_size": {"draw": "figures.grain_size:draw", "needs": ["grain_size"]},
    "losses": {"draw": "figures.losses:draw", "needs": ["history"]},
    "pareto": {"draw": "figures.pareto:draw", "needs": ["shortlist", "properties"]},
    "acquisition": {"draw": "figures.acquisition:draw", "needs": ["rounds"]},
    "benchmark": {"draw": "figures.benchmark:draw", "needs": ["benchmark"]},
    "ood": {"draw": "figures.ood:draw", "needs": ["ood"]},
    "predictions": {"draw": "figures.predictions:draw", "needs": ["predictions", "errors", "learning_curve"]},
}
DRAWS = {name: figure["draw"] for name, figure in FIGURES.items()}
