"""Models on the official folds of Matbench, ours beside the published ones."""

from figures import style

HERE = "this study"


def draw(benchmark, *, most: int = 16):
    """Draw a row per model, the best at the top: dots are folds, the bar is their mean.

    Models of the study are in colour, with the 95 % interval of their mean; `most` models are drawn, ours always.
    """
    import numpy as np

    if not len(benchmark):
        return style.nothing("no method has predictions on official folds")
    ours = benchmark["origin"] == HERE
    left = max(0, most - int(ours.sum()))
    shown = benchmark[ours | ((~ours).cumsum() <= left)].reset_index(drop=True)
    folds = shown["folds"].astype(int).tolist()
    own = [f" ({count} of 5 folds)" if count < 5 and len(set(folds)) > 1 else "" for count in folds]
    twin = shown["model"].isin(shown["model"][shown["origin"] == HERE]) & (shown["origin"] != HERE)
    own = [", published" * alike + more for alike, more in zip(twin, own, strict=True)]
    names = [style.text(model) + more for model, more in zip(shown["model"], own, strict=True)]
    looks = style.look(shown["model"][shown["origin"] == HERE])
    figure, axes = style.panels(1, 1, style.COLUMN_IN * 1.3, 0.5 + 0.17 * len(shown))
    panel, dots = axes[0, 0], [name for name in shown if name.startswith("fold_")]
    for at, row in shown.iterrows():
        look = looks[row["model"]] if row["origin"] == HERE else {"color": style.FAINT, "marker": "o"}
        values = row[dots].to_numpy(float)
        values = values[np.isfinite(values)]
        panel.plot(values, np.full(len(values), at), ls="", ms=2, alpha=0.7, color=look["color"], marker="o")
        panel.plot([row["score"]] * 2, [at - 0.32, at + 0.32], color=look["color"], lw=2)
        if np.isfinite(row["low_95"]):
            panel.plot([row["low_95"], row["high_95"]], [at, at], color=look["color"], lw=1)
    panel.set_yticks(range(len(shown)), names)
    panel.invert_yaxis()
    scores = shown["score"].to_numpy(float)
    if shown["metric"].iloc[0] == "mae" and scores.min() > 0 and scores.max() > 8 * scores.min():
        panel.set_xscale("log")
    metric = shown["metric"].iloc[0]
    panel.set_xlabel(style.absolute_error(shown["task"].iloc[0]) if metric == "mae" else style.axis(metric))
    few = f", {folds[0]} of 5 folds" if folds[0] < 5 and len(set(folds)) == 1 else ""
    panel.set_title(style.text(shown["task"].iloc[0].replace("_", " ")) + few)
    return figure
