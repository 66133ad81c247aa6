"""How large the regions are: histograms with the log-normal law of the same mean and width."""

from matlens import columns
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from figures import style

POWERS = ("", "2", "3")  # of a length, an area and a volume
DECADES = 3  # of sizes; over more, the axis has powers of ten only
HEADROOM = 1.5  # of the axis over the highest bar or law, so that none lies under the text


def draw(regions: dict, *, quantity: str = "equivalent_diameter", bins: int = 30):
    """Draw one panel per method: the density of a size on a logarithmic axis.

    `quantity`: a length, area or volume, column of `regions` without its unit.
    Where images have a scale, these are drawn in micrometres, and the panel says how many of all they are; pixels only
    where no image has one. The line is the log-normal density with the mean
    and standard deviation of the logarithms (its maximum-likelihood estimate); ASSUME: regions are independent.
    """
    import numpy as np

    tables = {method: table for method, table in regions.items() if len(table)}
    if not tables:
        return style.nothing("no region was found")
    held = [power for power in POWERS if any(f"{quantity}_px{power}" in table for table in tables.values())]
    micrometres, pixels = (f"{quantity}_{unit}{''.join(held[:1])}" for unit in ("um", "px"))
    chosen = {method: columns.pooled(table, micrometres, pixels) for method, table in tables.items()}
    column = micrometres if any(name == micrometres for _, name, _ in chosen.values()) else pixels
    tables = {method: table for method, (table, name, _) in chosen.items() if name == column}
    if not all(column in table for table in tables.values()):
        return style.nothing(f"the regions have no column {column}")
    sizes = {method: table[column].to_numpy(dtype=float) for method, table in tables.items()}
    sizes = {method: values[np.isfinite(values) & (values > 0)] for method, values in sizes.items()}
    sizes = {method: values for method, values in sizes.items() if len(values)}
    if not sizes:
        return style.nothing("no region has a size")
    looks, cols = style.look(sizes), min(3, len(sizes))
    rows = -(-len(sizes) // cols)
    figure, axes = style.panels(rows, cols, style.PAGE_IN, 2.2, sharex=True, sharey=True)
    low, high = (edge(np.concatenate(list(sizes.values()))) for edge in (np.min, np.max))
    edges = np.geomspace(low / 1.05, high * 1.05, bins + 1)
    for panel, (method, values) in zip(axes.flat, sizes.items(), strict=False):
        counts, _ = np.histogram(values, edges)
        density = counts / len(values) / np.diff(np.log(edges))
        panel.stairs(density, edges, fill=True, color=looks[method]["color"], alpha=0.35)
        panel.stairs(density, edges, color=looks[method]["color"], lw=0.8)
        mean, width = np.log(values).mean(), np.log(values).std()
        if width > 0:
            x = np.geomspace(edges[0], edges[-1], 200)
            law = np.exp(-((np.log(x) - mean) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
            panel.plot(x, law, color=style.INK)
        panel.set_title(style.text(method))
        unit = style.axis(column).rpartition(" / ")[2]
        images = f"\n{chosen[method][2]}" if chosen[method][2] else ""
        note = f"n = {len(values)}{images}\ngeometric mean {np.exp(mean):.3g} {unit}\nσ(ln) = {width:.2f}"
        panel.text(0.98, 0.97, note, transform=panel.transAxes, ha="right", va="top", fontsize=6.5)
        panel.set_xscale("log")
        wide = np.log10(high / low) > DECADES
        panel.xaxis.set_major_locator(LogLocator(numticks=6) if wide else LogLocator(subs=(1, 2, 5)))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
    for panel in axes.flat[len(sizes) :]:
        panel.set_visible(False)
    for panel in axes.flat[max(0, len(sizes) - cols) : len(sizes)]:
        panel.set_xlabel(style.axis(column))
        panel.tick_params(labelbottom=True)
    axes[0, 0].set_ylim(0, HEADROOM * max(panel.dataLim.y1 for panel in axes.flat[: len(sizes)]))
    for panel in axes[:, 0]:
        panel.set_ylabel("density per unit of ln(size)")
    return figure
