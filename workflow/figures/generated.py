"""Generated images, each beside the training image that it is most like."""

import io
import textwrap

from figures import style

ASKED = "asked_"  # columns of the conditions


def draw(samples: dict, generated: dict, *, most: int = 4):
    """Draw a row for every method: `most` pairs, the generated image on the left, its nearest training image right.

    The conditions go from the lowest to the highest; their names stand below, r is the correlation of the two.
    """
    import numpy as np
    from PIL import Image

    methods = [method for method in samples if samples[method]]
    if not methods:
        return style.nothing("no image was generated")
    figure, axes = style.panels(len(methods), most, style.PAGE_IN, style.PAGE_IN / (2 * most) + 0.25)
    for row, method in zip(axes, methods, strict=True):
        keys = sorted(samples[method])
        chosen = [keys[at] for at in np.unique(np.linspace(0, len(keys) - 1, most).round().astype(int))]
        for panel, key in zip(row, [*chosen, *[None] * most], strict=False):
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            if key is not None:
                about = generated[method].iloc[key]
                panel.imshow(np.asarray(Image.open(io.BytesIO(samples[method][key]))), cmap="gray", vmin=0, vmax=255)
                asked = [f"{about[name]:g}" for name in about.index if name.startswith(ASKED)]
                panel.set_title(", ".join([*asked, f"r = {about['nearest_correlation']:.2f}"]), fontsize=6)
        row[0].set_ylabel(style.text(method), fontsize=7)
    named = [name.removeprefix(ASKED) for name in generated[methods[0]] if name.startswith(ASKED)]
    words = ", ".join([*map(style.axis, named), "correlation r with the training image on the right"])
    figure.supxlabel(textwrap.fill(f"above each pair: {words}", 2 * style.NOTE), fontsize=7)
    return figure
