"""How a network learned: loss of training and validation, and the score that chose its best epoch."""

from figures import style


def draw(history: dict, *, logarithmic: bool = True):
    """Draw a row per trained method: losses on the left, validation scores on the right, the best epoch marked.

    `logarithmic`: whether the axis of the losses is.
    """
    tables = {method: table for method, table in history.items() if len(table)}
    if not tables:
        return style.nothing("no method of this study was trained in it")
    figure, axes = style.panels(len(tables), 2, style.PAGE_IN, 2.2)
    looks = style.look(tables)
    for (left, right), (method, table) in zip(axes, tables.items(), strict=True):
        colour = looks[method]["color"]
        best = table.loc[table["best"], "epoch"].max()
        for panel, words in ((left, "loss"), (right, "score")):
            for column in [c for c in table if c.endswith(words)]:
                line = {"color": colour} if column in ("train_loss", "score") else {"color": style.INK, "ls": "--"}
                panel.plot(table["epoch"], table[column], label=column.replace("_", " "), **line)
            panel.axvline(best, color=style.FAINT, lw=0.8)
            panel.set_xlabel("epoch")
            panel.set_ylabel(words)
            if panel.get_legend_handles_labels()[0]:
                panel.legend()
        if logarithmic:
            left.set_yscale("log")
        left.set_title(f"{style.text(method)}: best epoch {best} of {len(table)}", loc="left")
    return figure
