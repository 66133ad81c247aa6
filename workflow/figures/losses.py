"""How a network learned: loss of training and validation, and the score that chose its best epoch."""

from figures import style

SCORES = ("score", "mae")  # endings of the columns on the right


def draw(history: dict, *, logarithmic: bool = True):
    """Draw a row per trained method: losses on the left, validation scores on the right, the best epoch marked.

    A method that was trained more than once, on several folds or from several seeds, has a line for each training.
    Networks that are trained against each other have a loss each, in colours of their own. Without any score there
    is no right side. `logarithmic`: whether the axis of the losses is.
    """
    tables = {method: table for method, table in history.items() if len(table)}
    if not tables:
        return style.nothing("no method of this study was trained in it")
    sides = (("loss",), SCORES) if any(_columns(table, SCORES) for table in tables.values()) else (("loss",),)
    figure, axes = style.panels(len(tables), len(sides), style.PAGE_IN * len(sides) / 2, 2.2)
    looks = style.look(tables)
    for panels, (method, table) in zip(axes, tables.items(), strict=True):
        keys = [name for name in ("fold", "member") if name in table]
        runs = [run for _, run in table.groupby(keys)] if keys else [table]
        for panel, words in zip(panels, sides, strict=True):
            _curves(panel, runs, _lines(_columns(table, words), looks[method]["color"]))
            panel.set_xlabel("epoch")
            panel.set_ylabel(words[0])
            panel.set_visible(bool(panel.get_legend_handles_labels()[0]) or words != SCORES)
        if logarithmic:
            panels[0].set_yscale("log")
        last = f"best epoch {_best(runs[0])} of {len(table)}" if len(runs) == 1 else f"{len(runs)} trainings"
        panels[0].set_title(f"{style.text(method)}: {last}", loc="left")
    return figure


def _columns(table, words: tuple[str, ...]) -> list[str]:
    """List the columns of a history that end in some words and have values; a loss that is 0 throughout is not used."""
    known = [name for name in table if name.endswith(words) and table[name].notna().any()]
    return [name for name in known if words == SCORES or table[name].fillna(0).ne(0).any()]


def _lines(columns: list[str], colour: str) -> dict[str, dict]:
    """Give every column a line that differs from those beside it; what is trained on has the colour of the method."""
    plain = {name: {"color": colour} for name in columns if name in ("train_loss", "score")}
    judged = {name: {"color": style.INK, "ls": "--"} for name in columns if name.startswith("val_")}
    others = [name for name in columns if name not in plain | judged]
    free = [one for one in style.PALETTE if one != colour]
    return plain | judged | {name: {"color": one, "ls": "-."} for name, one in zip(others, free, strict=False)}


def _best(run) -> int:
    return int(run.loc[run["best"], "epoch"].max())


def _curves(panel, runs: list, lines: dict[str, dict]) -> None:
    """Draw the lines of every training, and its best epoch."""
    for column, line in lines.items():
        for number, run in enumerate(runs):
            name = {} if number else {"label": column.replace("_", " ")}
            point = {"marker": "o"} if len(run) == 1 else {}  # a line of one epoch cannot be seen
            panel.plot(run["epoch"], run[column], **name, **line, **point)
    if lines:
        panel.legend()
    for best in {_best(run) for run in runs}:
        panel.axvline(best, color=style.FAINT, lw=0.8, zorder=0)
    epochs = sorted({int(epoch) for run in runs for epoch in run["epoch"]})
    if len(epochs) == 1:
        panel.set_xticks(epochs)
    else:
        panel.xaxis.get_major_locator().set_params(integer=True)
