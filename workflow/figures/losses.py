"""How a network learned: loss of training and validation, and the score that chose its best epoch."""

from figures import style

SCORES = ("score", "mae")  # endings of the columns on the right


def draw(history: dict, *, logarithmic: bool = True):
    """Draw a row per trained method: losses on the left, validation scores on the right, the best epoch marked.

    A method that was trained more than once, on several folds or from several seeds, has a line for each training.
    `logarithmic`: whether the axis of the losses is.
    """
    tables = {method: table for method, table in history.items() if len(table)}
    if not tables:
        return style.nothing("no method of this study was trained in it")
    figure, axes = style.panels(len(tables), 2, style.PAGE_IN, 2.2)
    looks = style.look(tables)
    for (left, right), (method, table) in zip(axes, tables.items(), strict=True):
        colour = looks[method]["color"]
        keys = [name for name in ("fold", "member") if name in table]
        runs = [run for _, run in table.groupby(keys)] if keys else [table]
        for panel, words in ((left, ("loss",)), (right, SCORES)):
            for column in [c for c in table if c.endswith(words) and table[c].notna().any()]:
                line = {"color": colour} if column in ("train_loss", "score") else {"color": style.INK, "ls": "--"}
                for number, run in enumerate(runs):
                    name = {} if number else {"label": column.replace("_", " ")}
                    point = {"marker": "o"} if len(run) == 1 else {}  # a line of one epoch cannot be seen
                    panel.plot(run["epoch"], run[column], **name, **line, **point)
            panel.set_xlabel("epoch")
            panel.set_ylabel(words[0])
            if panel.get_legend_handles_labels()[0]:
                panel.legend()
            for best in {int(run.loc[run["best"], "epoch"].max()) for run in runs}:
                panel.axvline(best, color=style.FAINT, lw=0.8, zorder=0)
        if not right.lines or not right.get_legend_handles_labels()[0]:
            right.set_visible(False)
        if logarithmic:
            left.set_yscale("log")
        last = f"best epoch {best} of {len(table)}" if len(runs) == 1 else f"{len(runs)} trainings"
        left.set_title(f"{style.text(method)}: {last}", loc="left")
    return figure
