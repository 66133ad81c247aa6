"""The one style of every figure: sizes, colours, units, and bytes that do not depend on place or time."""

import io
import re
import sys
import textwrap
import warnings
from contextlib import contextmanager

import matplotlib
from matlens import acquire, detect, generate, predict, restore, screen, segment, track
from matlens.registry import method_of
from matlens.report import letters
from matlens.report.overlay import PALETTE
from matlens.thermo import quantities
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from figures.units import TASKS, UNITS

COLUMN_IN, PAGE_IN = 3.5, 7.2  # widths of a journal's column and page, in inches
PLACES = 9  # digits of a place of a panel, as a part of the figure
NOTE = 45  # letters of a line across a column
LETTER = 0.6  # mean width of a letter over the size of its font
ACROSS = 4  # most pictures side by side
INK, FAINT, CONTROL = "#222222", "#BBBBBB", "#777777"
MARKERS, HOLLOW = "osD^vP", "^<>dphs"  # of methods, and of controls but the first
CONTROLS = (
    *segment.CONTROLS,
    *acquire.CONTROLS,
    *predict.CONTROLS,
    *screen.CONTROLS,
    *restore.CONTROLS,
    *detect.CONTROLS,
    *track.CONTROLS,
    *generate.CONTROLS,
)
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "figure.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "matlens",
    "image.interpolation": "nearest",
}
WHOLE = {"temperature_c": "temperature / °C", "lattice_constant_a": "lattice constant / Å"}  # ends that may mean else
_UNIT = re.compile(rf"^(?P<stem>.+?)_(?P<unit>{'|'.join(sorted(UNITS, key=len, reverse=True))})$")


def context():
    """Apply the style to figures drawn and saved within, whatever the user's own settings are."""
    return matplotlib.rc_context({**_defaults(), **STYLE})


def _defaults() -> dict:
    """List matplotlib's own settings, but for the backend, which nothing here uses."""
    return {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}


def axis(column: str) -> str:
    """Write a column name as the label of an axis: "equivalent_diameter_um" is "equivalent diameter / µm".

    The logarithm of a number needs the unit inside: "log10_bulk_modulus_gpa" is "log₁₀(bulk modulus / GPa)".
    """
    if column.startswith("log10_"):
        return f"log₁₀({axis(column.removeprefix('log10_'))})"
    if column in WHOLE:
        return WHOLE[column]
    found = _UNIT.match(column)
    words = text((found["stem"] if found else column).replace("_", " "))
    return f"{words} / {UNITS[found['unit']]}" if found else words


def unit(column: str) -> str:
    """Return the unit of a column as figures write it; "" where it has none, or is a logarithm."""
    found = _UNIT.match(column)
    return UNITS[found["unit"]] if found and column not in WHOLE and not column.startswith("log10_") else ""


def label(words: str, column: str) -> str:
    """Add the unit of a column to words: "predicted" is "predicted / GPa"."""
    return f"{words} / {unit(column)}" if unit(column) else words


def error_of(name: str) -> str:
    """Name the mean absolute error of a quantity or column, with the unit that its label has, see `quantity`."""
    words, own = "mean absolute error", quantities.words(name)
    return label(words, name) if own == name else words + own[own.rfind(" / ") :] * (" / " in own)


def absolute_error(task: str) -> str:
    """Name the mean absolute error of a task of Matbench, with the unit of its target where that has one."""
    return f"mean absolute error / {TASKS[task]}" if task in TASKS else "mean absolute error"


def headroom(panel, part: float = 0.35) -> None:
    """Leave space at the top of a panel for a note or a legend: a part of its height, so that neither covers data."""
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + part * (high - low))


def key(figure, handles, labels, side: str = "upper", ncols: int = 5, **options) -> None:
    """Explain marks above or below the panels of a figure, in as many columns as its width has space for."""
    labels, size = list(labels), options.get("fontsize", 7)
    wide = LETTER * size * max(map(len, labels), default=1) + 5 * size
    cols = max(1, min(ncols, int(72 * figure.get_figwidth() // wide)))
    more = -(-len(labels) // cols) - 3  # rows beyond those that a figure has space for
    figure.set_figheight(figure.get_figheight() + max(0, more) * 1.7 * size / 72)
    figure.legend(handles, labels, loc=f"outside {side} center", ncols=cols, **options)


def legend(panel, **options) -> None:
    """Explain the marks of a panel inside it, or below it where they would cover half of it; the figure grows then."""
    from matplotlib.transforms import ScaledTranslation

    labels, size = panel.get_legend_handles_labels()[1], options.get("fontsize", 7)
    wide, high = 72 * panel.get_position().size * panel.figure.get_size_inches()
    need = 1.4 * size * -(-len(labels) // options.get("ncols", 1))
    if need <= 0.5 * high and LETTER * size * max(map(len, labels), default=0) + 5 * size <= wide:
        panel.legend(**options)
        return
    if panel.get_subplotspec().is_first_col():
        panel.figure.set_figheight(panel.figure.get_figheight() + (need + 10) / 72)
    under = panel.transAxes + ScaledTranslation(
        -0.4, -0.4, panel.figure.dpi_scale_trans
    )  # below the label of x, from that of y
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0), "bbox_transform": under, "handlelength": 1.0}
    panel.legend(**{**options, **place})


def named(panel, names, x, y) -> None:
    """Write names beside points of a panel, over no other name or point, with a line where one is far off.

    Right of the point, or left of it in the right quarter of the panel; up or down to where no name before it is.
    """
    import numpy as np

    panel.autoscale_view()  # limits are late otherwise
    size = panel.get_position().size * panel.figure.get_size_inches() * 72  # in points
    places = panel.transAxes.inverted().transform(panel.transData.transform(np.column_stack([x, y]))) * size
    boxes = [(right - 3, right + 3, up - 4) for right, up in places]  # the points themselves
    for name, value_x, value_y, (right, up) in zip(names, x, y, places, strict=True):
        most = max(8, int(0.45 * size[0] / 3.6))  # letters, so that a name leaves the panel to the points
        name = name if len(name) <= most else f"{name[: most // 2]}…{name[-(most // 2) :]}"
        wide = 3.6 * len(name)
        side = -1 if right > 0.75 * size[0] or right + 4 + wide > size[0] >= 2 * wide else 1
        left = right + 4 if side > 0 else right - 4 - wide
        shifts = sorted((3 + 8.5 * k for k in range(-20, 20)), key=abs)
        free = [s for s in shifts if not any(a < left + wide and left < b and abs(up + s - c) < 8 for a, b, c in boxes)]
        shift = next((s for s in free if 0 <= up + s <= size[1] - 6), free[0] if free else shifts[0])
        boxes.append((left, left + wide, up + shift))
        line = {"arrowstyle": "-", "color": FAINT, "lw": 0.4, "shrinkA": 0, "shrinkB": 2}
        panel.annotate(
            name, (value_x, value_y), xytext=(4 * side, shift), textcoords="offset points", fontsize=6, color=CONTROL,
            ha="left" if side > 0 else "right", arrowprops=line if abs(shift) > 9 else None,
        )  # fmt: skip


def quantity(name: str) -> str:
    """Return the label of an objective: a CALPHAD quantity with its unit, or the name of a column."""
    label = quantities.words(name)
    return axis(name) if label == name else label


def panels(rows: int = 1, cols: int = 1, width: float = PAGE_IN, height: float = 2.4, **options):
    """Make a figure of panels; `width` of the whole and `height` of a row, in inches. Returns it and the axes, 2-D."""
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    return figure, figure.subplots(rows, cols, squeeze=False, **options)


def blocks(count: int, names: int, ratios: list[float], title_in: float):
    """Make a figure of `count` blocks of `names` panels, at most ACROSS of them side by side; returns it and the panels
    of each block.

    `ratios`: height over width of the panels of each block; `title_in`: what a title needs, in inches.
    """
    cols = min(max(names, 1), ACROSS)
    rows, width = -(-names // cols), PAGE_IN / max(cols, 2)
    heights = [width * ratio + title_in for ratio in ratios for _ in range(rows)]
    figure = Figure(figsize=(width * cols, sum(heights) + 0.4), layout="constrained")
    axes = figure.subplots(count * rows, cols, squeeze=False, height_ratios=heights).reshape(count, rows * cols)
    for panel in axes[:, names:].flat:
        panel.set_visible(False)
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    return figure, axes[:, :names]


def look(methods, controls=CONTROLS) -> dict[str, dict]:
    """Give every method a colour and a marker, no two the same; control methods, variants too, are hollow grey."""
    found, number, hollow = {}, 0, 0
    for method in methods:
        if method_of(method) in controls:
            marker = "v" if method == CONTROLS[0] else HOLLOW[hollow % len(HOLLOW)]
            found[method] = {"color": CONTROL, "marker": marker, "markerfacecolor": "white"}
            hollow += method != CONTROLS[0]
        else:
            turn = number // len(PALETTE)  # beyond the last colour, another marker for each
            marker = MARKERS[(number + turn) % len(MARKERS)]
            found[method] = {"color": PALETTE[number % len(PALETTE)], "marker": marker}
            number += 1
    return found


def colours(names) -> dict:
    """Give every name a colour of its own: those of the palette, then the same by half darker."""
    from matplotlib.colors import to_rgb

    plain = [tuple(to_rgb(one)) for one in PALETTE]
    shades = [*plain, *(tuple(0.5 * part for part in one) for one in plain)]
    return {name: shades[number % len(shades)] for number, name in enumerate(names)}


def text(value: object) -> str:
    """Write words of the user as they are: a `$` starts no formula; long ones are cut."""
    words = " ".join(str(value).split())
    return (words if len(words) <= 32 else f"{words[:15]}…{words[-15:]}").replace("$", r"\$")


def nothing(why: str) -> Figure:
    """Return an empty figure with the reason as its text."""
    figure, axes = panels(width=COLUMN_IN, height=1.2)
    axes[0, 0].axis("off")
    axes[0, 0].text(0.5, 0.5, textwrap.fill(why, NOTE), ha="center", va="center", color=CONTROL)
    return figure


@contextmanager
def _letters_as_text():
    """Write words with letters that the font lacks as text of the SVG, which a viewer draws with a font that has them.

    The others are outlines, the same everywhere. So the bytes do not depend on the fonts of this machine.
    """
    from matplotlib.backends.backend_svg import RendererSVG

    drawn, named = RendererSVG.draw_text, {}

    def draw_text(self, gc, x, y, words, *more, **options):
        if not letters.lacking(words):
            return drawn(self, gc, x, y, words, *more, **options)
        named.setdefault(words)
        words = "".join(
            letter if letter.isprintable() else "\ufffd" for letter in words
        )  # XML has no control characters
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            return drawn(self, gc, x, y, words, *more, **options)

    RendererSVG.draw_text = draw_text
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            yield
    finally:
        RendererSVG.draw_text = drawn
    if named:
        names = ", ".join(list(named)[:3])
        print(f"names are text of the SVG, not outlines; a viewer needs a font for them: {names}", file=sys.stderr)


class _Even(ConstrainedLayoutEngine):
    """The layout of a figure with its places rounded: the solver sums in an order that differs from run to run."""

    def execute(self, fig):
        """Lay a figure out."""
        found = super().execute(fig)
        for axes in fig.axes:
            place = axes.get_position(original=True).get_points().round(PLACES)
            axes._set_position(Bbox(place), which="original")  # as the layout does; set_position takes them out of it
        return found


def svg(figure: Figure) -> str:
    """Write a figure as SVG: no date, no random names, no last digits that differ from run to run."""
    buffer = io.StringIO()
    if engine := figure.get_layout_engine():
        figure.set_layout_engine(_Even(**engine.get()))
    with _letters_as_text():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "matlens"})
    return buffer.getvalue()
