"""Crystal orientations: unit quaternions, crystal symmetry, misorientations, means and colours.

An orientation is the passive rotation that turns sample coordinates into crystal coordinates, `v_crystal = g v_sample`,
stored as a unit quaternion (w, x, y, z) in the last axis, with the product of Hamilton: `v_crystal = q v_sample q*`.
Turning first by p, then by q is `multiply(q, p)`; a crystal symmetry S acts from the left, `multiply(S, q)`.
Conventions: D. Rowenhorst et al., Modelling Simul. Mater. Sci. Eng. 23 (2015) 083501, with P = +1.

The symmetry of a crystal is named by a code that fits into a byte, so that a map of phases can carry it. Codes 1 to 11
are the Laue groups in the order used by Oxford Instruments; the rest are settings of two of them. Crystal axes: z is
along c; x is along a*, y along b (Oxford), or x along a (EDAX), which only the settings of -3m tell apart.
"""

from functools import cache

import numpy as np

LAUE = {
    0: "unknown",
    1: "-1",
    2: "2/m",  # unique axis along y
    3: "mmm",
    4: "4/m",
    5: "4/mmm",
    6: "-3",
    7: "-3m",  # a two-fold axis along y (and 60 degrees on)
    8: "6/m",
    9: "6/mmm",
    10: "m-3",
    11: "m-3m",
    12: "2/m",  # unique axis along z
    13: "2/m",  # unique axis along x
    14: "-3m",  # a two-fold axis along x (and 60 degrees on)
}
UNKNOWN = 0
_CHUNK = 1 << 18  # pairs at a time: 24 products of each stay within the cache and tens of megabytes

# Generators of the proper rotations of each group: (order, axis)
_X, _Y, _Z, _BODY = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)
_GENERATORS = {
    1: (),
    2: ((2, _Y),),
    3: ((2, _Z), (2, _X)),
    4: ((4, _Z),),
    5: ((4, _Z), (2, _X)),
    6: ((3, _Z),),
    7: ((3, _Z), (2, _Y)),
    8: ((6, _Z),),
    9: ((6, _Z), (2, _X)),
    10: ((2, _Z), (3, _BODY)),
    11: ((4, _Z), (3, _BODY)),
    12: ((2, _Z),),
    13: ((2, _X),),
    14: ((3, _Z), (2, _X)),
}


def _around(azimuth_deg: float) -> tuple[float, float, float]:
    """Return the direction in the xy plane at an azimuth from x."""
    return float(np.cos(np.radians(azimuth_deg))), float(np.sin(np.radians(azimuth_deg))), 0.0


# Corners of the sector of directions that are all different under the group: coloured red, green, blue
_SECTORS = {
    3: (_Z, _X, _Y),
    5: (_Z, _X, _around(45)),
    7: (_Z, _around(0), _around(60)),
    9: (_Z, _X, _around(30)),
    11: (_Z, (1, 0, 1), _BODY),
    14: (_Z, _around(-30), _around(30)),
}
# ASSUME: a picture may give one colour to directions that only a mirror of the full group of the lattice makes equal
_COLOURED_AS = {1: 3, 2: 3, 12: 3, 13: 3, 4: 5, 6: 9, 8: 9, 10: 11}


def from_euler(euler_rad: np.ndarray) -> np.ndarray:
    """Turn Bunge Euler angles (phi1, Phi, phi2; last axis, radians) into unit quaternions.

    Source: Rowenhorst et al. 2015, eq. A.5 (eu2qu), P = +1, without its choice of the hemisphere.
    """
    phi1, phi, phi2 = np.moveaxis(np.asarray(euler_rad, np.float64), -1, 0) / 2
    c, s = np.cos(phi), np.sin(phi)
    return np.stack(
        [c * np.cos(phi1 + phi2), -s * np.cos(phi1 - phi2), -s * np.sin(phi1 - phi2), -c * np.sin(phi1 + phi2)], axis=-1
    )


def to_euler(q: np.ndarray) -> np.ndarray:
    """Turn unit quaternions (..., 4) into Bunge Euler angles, radians, (..., 3).

    Source: D. Rowenhorst et al., Modelling Simul. Mater. Sci. Eng. 23 (2015) 083501, eq. A.11 (qu2eu), P = +1.
    """
    w, x, y, z = np.moveaxis(np.asarray(q, np.float64), -1, 0)
    both, other = np.hypot(w, z), np.hypot(x, y)
    tilt = 2 * np.arctan2(other, both)
    plus, minus = np.arctan2(-z, w), np.arctan2(-y, -x)
    plus = np.where(both > 1e-12, plus, 0.0)
    minus = np.where(other > 1e-12, minus, plus)
    return np.stack([plus + minus, tilt, plus - minus], -1) % (2 * np.pi)


def from_axis_angle(axis, angle_deg: float) -> np.ndarray:
    """Make the unit quaternion (cos a/2, n sin a/2) of a rotation about an axis, which need not be normalised."""
    axis = np.asarray(axis, np.float64)
    half = np.radians(angle_deg) / 2
    return np.concatenate([[np.cos(half)], np.sin(half) * axis / np.linalg.norm(axis)])


def to_matrix(q: np.ndarray) -> np.ndarray:
    """Turn unit quaternions (..., 4) into matrices (..., 3, 3) with `v_crystal = g v_sample`."""
    w, x, y, z = np.moveaxis(np.asarray(q, np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def multiply(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Multiply quaternions (Hamilton), with broadcasting over all but the last axis: the rotation p, then q."""
    a, b, c, d = np.moveaxis(np.asarray(q), -1, 0)
    e, f, g, h = np.moveaxis(np.asarray(p), -1, 0)
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ],
        axis=-1,
    )


def inverse(q: np.ndarray) -> np.ndarray:
    """Invert unit quaternions: the conjugate."""
    return np.asarray(q) * np.array([1, -1, -1, -1])


@cache
def symmetry(laue: int) -> np.ndarray:
    """List the proper rotations of a symmetry code as unit quaternions (count, 4), the identity first, read-only.

    m-3m has 24, 6/mmm 12, 4/mmm 8, -3m 6, mmm 4, -1 1. An unknown code is a ValueError.
    """
    if laue not in _GENERATORS:
        raise ValueError(f"symmetry code {laue} has no rotations; known codes: {', '.join(map(str, _GENERATORS))}")
    found = [np.array([1.0, 0, 0, 0])]
    generators = [from_axis_angle(axis, 360 / order) for order, axis in _GENERATORS[laue]]
    for q in found:  # grows while it is walked through, until the group is closed
        for generator in generators:
            new = multiply(generator, q)
            if all(abs(old @ new) < 1 - 1e-9 for old in found):
                found.append(new)
    group = np.array(found)
    group[np.abs(group) < 1e-12] = 0.0
    group.setflags(write=False)
    return group


def code_of(name: str, *, x_along: str = "a*", space_group: int = 0) -> int:
    """Find the symmetry code of a point or Laue group by its symbol ("m-3m", "432", "6/mmm"); 0 when it is not known.

    `x_along`: "a*" or "a", the crystal axis along x. `space_group`: its number; those of -31m have their two-fold axes
    30 degrees from those of -3m1.
    """
    code = _POINT_GROUPS.get(name.strip().replace(" ", "").lower(), UNKNOWN)
    if code == 7 and (x_along == "a") != (space_group in _P31M):
        return 14
    return code


_P31M = (149, 151, 153, 157, 159, 162, 163)
_POINT_GROUPS = {
    symbol: code
    for code, symbols in {
        1: "1 -1",
        2: "2 m 2/m 12/m1 121 1m1",
        3: "222 mm2 mmm 2/m2/m2/m",
        4: "4 -4 4/m",
        5: "422 4mm -42m -4m2 4/mmm",
        6: "3 -3",
        7: "32 3m -3m 321 3m1 -3m1 312 31m -31m",
        8: "6 -6 6/m",
        9: "622 6mm -6m2 -62m 6/mmm",
        10: "23 m-3 m3",
        11: "432 -43m m-3m m3m",
    }.items()
    for symbol in symbols.split()
}


def cos_half(a: np.ndarray, b: np.ndarray, laue: int) -> np.ndarray:
    """Return the cosine of half the misorientation angle of pairs of orientations (n, 4) of one crystal symmetry.

    It is the largest |<S a, b>| over the symmetry operations S; the operations of one side are enough, because with
    both the same products appear again. Source: A. Heinz and P. Neumann, Acta Cryst. A47 (1991) 780.
    """
    a, b = np.asarray(a), np.asarray(b)
    # <S a, b> = <S, b a*>, so that all operations are one matrix product
    operators = symmetry(laue).astype(a.dtype, copy=False).T
    out = np.empty(len(a), a.dtype)
    for first in range(0, len(a), _CHUNK):
        part = slice(first, first + _CHUNK)
        products = multiply(b[part], inverse(a[part]).astype(a.dtype, copy=False)) @ operators
        out[part] = np.abs(products, out=products).max(axis=1)
    return np.minimum(out, 1, out=out)


def misorientation_deg(a: np.ndarray, b: np.ndarray, laue: int) -> np.ndarray:
    """Return the smallest rotation between orientations (..., 4) of one crystal symmetry, in degrees.

    Shapes broadcast. The largest possible is 62.80 degrees for m-3m and 93.84 for 6/mmm.
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    found = cos_half(a.reshape(-1, 4), b.reshape(-1, 4), laue)
    return np.degrees(2 * np.arccos(found)).reshape(a.shape[:-1])


def nearest_variant(q: np.ndarray, reference: np.ndarray, laue: int) -> np.ndarray:
    """Replace orientations (n, 4) by those of their equivalents that are nearest to a reference, sign included.

    `reference`: (4,) or (n, 4). Ties go to the first operation of `symmetry`.
    """
    operators = symmetry(laue)
    q = np.asarray(q, np.float64)
    reference = np.broadcast_to(np.asarray(reference, np.float64), q.shape)
    out = np.empty_like(q)
    for first in range(0, len(q), _CHUNK):
        part = slice(first, first + _CHUNK)
        products = multiply(reference[part], inverse(q[part])) @ operators.T
        # rounding makes exact ties win by turns: let the first operation win by more than it
        best = np.argmax(np.round(np.abs(products), 10), axis=1)
        sign = np.where(np.take_along_axis(products, best[:, None], 1) < 0, -1.0, 1.0)
        out[part] = multiply(operators[best], q[part]) * sign
    return out


def reduce_to_zone(q: np.ndarray, laue: int) -> np.ndarray:
    """Replace orientations (..., 4) by their equivalents of smallest rotation, in the fundamental zone, w >= 0."""
    q = np.asarray(q, np.float64)
    return nearest_variant(q.reshape(-1, 4), np.array([1.0, 0, 0, 0]), laue).reshape(q.shape)


def mean_orientations(q: np.ndarray, groups: np.ndarray, laue: int) -> np.ndarray:
    """Average orientations (n, 4) group by group: one unit quaternion (count, 4) in the fundamental zone for each.

    `groups`: (n,) whole numbers from 0 to count - 1. The members are brought next to one of theirs, averaged, brought
    next to that average, and averaged again, so that the choice of the first does not matter to a grain whose spread
    is small against its symmetry. A group without members is NaN.
    Source: F. L. Markley et al., J. Guid. Control Dyn. 30 (2007) 1193: the eigenvector of sum q q^T.
    """
    q, groups = np.asarray(q, np.float64), np.asarray(groups)
    count = int(groups.max()) + 1 if len(groups) else 0
    present, first = np.unique(groups, return_index=True)
    mean = np.full((count, 4), np.nan)
    mean[present] = q[first]
    for _ in range(2):
        near = nearest_variant(q, mean[groups], laue)
        moments = np.zeros((count, 4, 4))
        for i in range(4):
            for j in range(i + 1):
                moments[:, i, j] = moments[:, j, i] = np.bincount(groups, near[:, i] * near[:, j], count)
        mean[present] = np.linalg.eigh(moments[present])[1][..., -1]
    mean[present] = reduce_to_zone(mean[present], laue)
    return mean


def ipf_colours(q: np.ndarray, direction, laue: int) -> np.ndarray:
    """Colour orientations (..., 4) by the crystal direction along a sample direction: float32 RGB (..., 3) in [0, 1].

    The standard triangle is red at [001], green and blue at its other corners ([101] and [111] in m-3m; x and 30 deg
    from it in 6/mmm), and brightest along its edges. Groups without mirrors through their axes borrow the triangle of
    the lattice's full group, so that two mirror images share a colour.
    """
    code = _COLOURED_AS.get(laue, laue)
    corners = np.array(_SECTORS[code], np.float64)
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    q = np.asarray(q, np.float64)
    crystal = to_matrix(q.reshape(-1, 4)) @ (np.asarray(direction, np.float64) / np.linalg.norm(direction))
    to_corners = np.linalg.inv(corners.T)
    operations = to_matrix(symmetry(code))
    operations = np.concatenate([operations, -operations])
    # the one equivalent inside the triangle is that whose smallest share of a corner is largest
    best = np.full((len(crystal), 3), -np.inf)
    for operation in operations:
        shares = crystal @ (to_corners @ operation).T
        inside = shares.min(axis=1) > best.min(axis=1)
        best[inside] = shares[inside]
    best = np.clip(best, 0.0, None)
    colours = best / best.max(axis=1, keepdims=True)
    return colours.astype(np.float32).reshape(*q.shape[:-1], 3)
