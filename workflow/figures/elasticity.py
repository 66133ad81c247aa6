"""Draw elastic constants: the stiffness as a heat map, and Young's modulus by direction in the planes of the axes."""

import numpy as np
from matlens.crystal.elasticity import young
from matlens.validate import CONSTANTS

from figures import style

PLANES = {"xy": (0, 1), "yz": (1, 2), "zx": (2, 0)}


def stiffness(rows) -> np.ndarray:
    """Return the stiffness (6, 6) GPa of the verdicts on one candidate; absent constants are 0 by symmetry."""
    made = np.zeros((6, 6))
    for quantity, value in zip(rows["quantity"], rows["value"], strict=True):
        if quantity in CONSTANTS:
            i, j = CONSTANTS[quantity]
            made[i, j] = made[j, i] = value
    return made


def draw(verdicts: dict, *, most: int = 4):
    """Draw the stiffness of up to `most` pairs of engine and candidate, one row each: heat map, and Young's modulus."""
    import pandas as pd

    long = pd.concat(verdicts.values(), ignore_index=True)
    known = long[long["quantity"].isin(list(CONSTANTS)) & np.isfinite(long["value"].astype(float))]
    if not len(known):
        return style.nothing("no elastic constants: no engine has results with 'elastic_strains'")
    pairs = list(known.groupby(["item", "engine"], sort=False))[:most]
    figure, axes = style.panels(len(pairs), 2, 5.2, 2.5, width_ratios=(1, 1))
    for (left, right), ((item, engine), rows) in zip(axes, pairs, strict=True):
        matrix = stiffness(rows)
        _map(figure, left, matrix)
        left.set_title(f"{style.text(item)}, {engine}: {rows['status'].iloc[0]}")
        _polar(right, matrix)
    return figure


def _map(figure, panel, matrix: np.ndarray) -> None:
    """Draw the matrix with its values in GPa; white is 0."""
    largest = np.abs(matrix).max()
    image = panel.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest)
    for i, j in np.argwhere(np.abs(matrix) > 1e-3 * largest):
        colour = "white" if abs(matrix[i, j]) > 0.6 * largest else style.INK
        panel.text(j, i, f"{matrix[i, j]:.0f}", ha="center", va="center", fontsize=6, color=colour)
    panel.set_xticks(range(6), range(1, 7))
    panel.set_yticks(range(6), range(1, 7))
    figure.colorbar(image, ax=panel, label="C / GPa", shrink=0.85)


def _polar(panel, matrix: np.ndarray) -> None:
    """Draw Young's modulus as the distance from the centre, along directions in three planes."""
    if np.linalg.eigvalsh(matrix)[0] <= 0:
        panel.axis("off")
        panel.text(0.5, 0.5, "mechanically unstable", ha="center", color=style.CONTROL, transform=panel.transAxes)
        return
    angle = np.linspace(0, 2 * np.pi, 181)
    looks = style.look(PLANES)
    for plane, (first, second) in PLANES.items():
        along = np.zeros((len(angle), 3))
        along[:, first], along[:, second] = np.cos(angle), np.sin(angle)
        size = young(matrix, along)
        line = {"color": looks[plane]["color"], "lw": 1.2, "ls": ("-", "--", ":")[list(PLANES).index(plane)]}
        panel.plot(size * np.cos(angle), size * np.sin(angle), label=plane, **line)
    panel.set_aspect("equal")
    panel.set_xlabel("Young's modulus / GPa")
    panel.legend(loc="center")
