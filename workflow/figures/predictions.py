"""Predicted against measured, by models that had not seen the specimen."""

from matlens import predict
from matlens.registry import method_of

from figures import style


def draw(predictions: dict, errors: dict, learning_curve: dict, *, intervals: bool = True):
    """Draw a panel per method with 90 % intervals and the line of equality, and one with all learning curves.

    There is none where only controls have one, since they learn nothing.
    Items outside the range of the training set are hollow. `intervals`: whether the bars are drawn.
    """
    import numpy as np

    tables = {method: table[table["fold"] >= 0] for method, table in predictions.items()}
    tables = {method: table for method, table in tables.items() if len(table)}
    if not tables:
        return style.nothing("no item has a known target")
    target = next(iter(errors.values()))["target"].iloc[0]
    curves = {method: learning_curve[method] for method in tables if len(learning_curve[method])}
    curves = curves if any(method_of(method) not in predict.CONTROLS for method in curves) else {}
    panels = len(tables) + bool(curves)
    looks, cols = style.look(tables), min(3, panels)
    rows = -(-panels // cols)
    figure, axes = style.panels(rows, cols, style.PAGE_IN, 2.3)
    known = np.concatenate([table["target"] for table in tables.values()])
    margin = 0.05 * (np.ptp(known) or 1)
    ends = [known.min() - margin, known.max() + margin]
    for panel, (method, table) in zip(axes.flat, tables.items(), strict=False):
        panel.plot(ends, ends, color=style.FAINT, lw=0.8, zorder=0)
        for strange, part in table.groupby("outside_training_range"):
            bars = (part["high_90"] - part["low_90"]) / 2 if intervals else None
            face = "white" if strange else looks[method]["color"]
            panel.errorbar(
                part["target"], part["predicted"], bars, fmt="o", ms=3, lw=0.6, capsize=0,
                color=looks[method]["color"], markerfacecolor=face,
            )  # fmt: skip
        row = errors[method].iloc[0]
        error = f"MAE {row['mae']:.3g} {style.unit(target)}".rstrip()
        panel.text(
            0.03, 0.97, f"{error}\n{_quality(row, len(table))}", transform=panel.transAxes, va="top", fontsize=6.5
        )
        panel.set_title(style.text(method))
        panel.set_xlabel(style.axis(target))
        panel.set_ylabel(style.label("predicted", target))
        style.headroom(panel)
    if curves:
        last = axes.flat[len(tables)]
    for method, curve in curves.items():
        last.errorbar(
            curve["train_items"], curve["mae"], curve["mae_std"], label=style.text(method), lw=0.9, **looks[method]
        )
        last.set_title("learning curves")
        last.set_xlabel("items learned from")
        last.set_ylabel(style.label("held-out MAE", target))
    if curves:
        style.headroom(last)
        style.legend(last)
    for panel in axes.flat[panels:]:
        panel.set_visible(False)
    return figure


def _quality(row, items: int) -> str:
    """Write R² and the coverage of the intervals; R² is not defined where all targets are equal."""
    none = "no R²: one item" if items == 1 else "no R²: all targets are equal"
    lines = [f"R² {row['r2']:.2f}" if row["r2"] == row["r2"] else none]
    if row["coverage_90"] == row["coverage_90"]:
        lines.append(f"90 % interval covers {row['coverage_90']:.0%}")
    return "\n".join(lines)
