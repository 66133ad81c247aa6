"""Random packing of non-overlapping bodies in a periodic box: random places, then relaxation of overlaps.

Every body is a ball of one p-norm (p = 2: discs or spheres; larger p: aligned squares or cubes with rounded edges). Two
balls of a norm are apart exactly when the norm of their distance is at least the sum of their radii, so one code packs
every shape exactly.
"""

import math

import numpy as np

from matlens.job.batch import BadItem

SLACK = 1e-3  # of the mean reach: extra distance, so that relaxation converges
FIRST_STEP, LONGEST_STEP, SHORTEST_STEP = 0.1, 0.6, 0.02  # of FIRE, for springs and masses of one
GAP_PARTS = (1.0, 0.5, 0.25, 0.0)  # fractions of the gap, tried in order
KICK_EVERY, KICK = 250, 0.3  # steps, and mean reaches


def half_width_of(radius, exponent: float, axes: int):
    """Return the half width a of the body |x/a|^p + |y/a|^p (+ |z/a|^p) <= 1 as large as a disc (sphere) of `radius`.

    Its size is (2 a)^d Gamma(1 + 1/p)^d / Gamma(1 + d/p) in d dimensions (Dirichlet's integral).
    """

    def unit(p: float) -> float:
        return (2 * math.gamma(1 + 1 / p)) ** axes / math.gamma(1 + axes / p)

    return radius * (unit(2.0) / unit(exponent)) ** (1 / axes)


def relax(places: np.ndarray, reach: np.ndarray, box, rng, *, exponent: float, steps: int, enough: float = 0.0):
    """Push overlapping bodies apart. Returns `(places, deepest)`; `deepest` is the largest remaining overlap.

    `places` (n, axes), `reach` (n,), `box` (axes,) and overlaps are in one unit; `deepest` is 0 when all are apart.
    Stops early at overlaps of `enough`. The steps are those of FIRE: E. Bitzek et al., Phys. Rev. Lett. 97
    (2006) 170201.
    """
    from matlens.ingest.models.packing_kernel import near_pairs, springs

    box = np.asarray(box, dtype=float)
    mean = float(reach.mean())
    goal = reach + 0.5 * SLACK * mean
    skin = 0.4 * mean
    velocity, force = np.zeros_like(places), np.zeros_like(places)
    step, mixing, downhill, listed, before = FIRST_STEP, 0.1, 0, None, np.inf
    deepest, stalled = np.inf, False
    for count in range(1, steps + 1):
        if count % KICK_EVERY == 0:
            stalled, before = deepest > 0.5 * before, deepest
        if count % KICK_EVERY == 0 and stalled and count <= steps - KICK_EVERY:
            # Springs cannot resolve a jam, such as a column that spans the box: shake overlapping bodies.
            stuck = np.abs(force).sum(axis=1, keepdims=True) > 0
            places = places + KICK * mean * stuck * rng.standard_normal(places.shape)
            velocity = np.zeros_like(velocity)
        if listed is None or np.abs(places - listed).sum(axis=1).max() > skin / 2:
            listed = places
            pairs = near_pairs(np.mod(np.mod(places, box), box), goal, box, skin)
        deepest = springs(places, goal, box, pairs, exponent, force)
        if deepest <= SLACK * mean + enough:
            break
        if (force * velocity).sum() > 0:
            speed, strength = np.sqrt((velocity * velocity).sum()), np.sqrt((force * force).sum())
            velocity = (1 - mixing) * velocity + mixing * speed / strength * force
            downhill += 1
            if downhill > 5:
                step, mixing = min(1.1 * step, LONGEST_STEP), 0.99 * mixing
        else:
            velocity = np.zeros_like(velocity)
            step, mixing, downhill = max(0.5 * step, SHORTEST_STEP), 0.1, 0
        velocity = velocity + step * force
        places = places + step * velocity
    return np.mod(places, box), max(0.0, deepest - SLACK * mean)


def pack(half: np.ndarray, box, rng, *, exponent: float = 2.0, gap: float = 0.0, steps: int = 2500) -> np.ndarray:
    """Place bodies of half width `half` (n,) at random in a periodic `box` so that none overlaps: places (n, axes).

    `gap` is the distance to keep between them, in the norm of their shape; it is kept to within a tenth if it fits,
    otherwise reduced to a half, a quarter or 0. Raises BadItem if bodies still overlap. With no gap, spheres fit up to
    a volume fraction of about 0.6, discs up to 0.8, aligned rounded cubes (p = 6) up to 0.7.
    """
    box = np.asarray(box, dtype=float)
    if 2 * half.max() + gap > box.min():
        raise BadItem(f"the largest body is {2 * half.max():.4g} px wide, the image {box.min():.4g}; make it larger")
    places = rng.uniform(size=(len(half), len(box))) * box
    for part in GAP_PARTS if gap > 0 else (0.0,):
        wide, enough = part * gap, 0.1 * part * gap
        patience = steps // 4 if part > 0 else steps  # a gap is optional: try it for fewer steps
        places, left = relax(places, half + wide / 2, box, rng, exponent=exponent, steps=patience, enough=enough)
        if left <= enough:
            return places
    raise BadItem(f"bodies still overlap by {left:.2g} px after {steps} steps of relaxation; lower the fraction")
