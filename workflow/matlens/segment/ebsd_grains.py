"""Grains of an EBSD map: neighbouring points of one phase whose orientations differ by little."""

import numpy as np

from matlens.crystal import orientations
from matlens.job.batch import BadItem

BRANDON_DEG = 15.0 / np.sqrt(3.0)  # tolerance of Sigma 3
AXES_111 = ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1))
CUBIC = (10, 11)


def segment(
    euler_rad: np.ndarray,
    phase_index: np.ndarray,
    laue: np.ndarray,
    *,
    threshold_deg: float = 5.0,
    min_points: int = 10,
    twins: str = "keep",
) -> np.ndarray:
    """Number the grains of a map, int32 from 1 in reading order; 0 where not indexed, and in grains that are too small.

    `euler_rad`: float32 (3, y, x) or (3, z, y, x), Bunge angles; `phase_index`: (y, x), 0 where not indexed; `laue`:
    (y, x), codes of `matlens.crystal.orientations`. `threshold_deg`: two points that share an edge (a face) belong
    together when they are of one phase and their misorientation is not above it. `min_points`: a smaller grain is
    dropped. `twins`: "keep" counts Sigma 3 twins as grains, "merge" joins each to its parent in cubic phases, as ASTM
    E112 and E2627 count; then grains whose common boundary is mostly a twin boundary are one, see `twin_pairs`. Raises
    BadItem if a phase has no known symmetry. Source: F. J. Humphreys, J. Mater. Sci. 36 (2001) 3833; the rule of DefDAP
    and of ASTM E2627, on a square grid.
    """
    unknown = (phase_index > 0) & (laue == orientations.UNKNOWN)
    if unknown.any():
        phases = ", ".join(str(index) for index in np.unique(phase_index[unknown]))
        raise BadItem(
            f"phase {phases} has no known symmetry; write the point group of the phase into the file's header"
        )
    if not phase_index.any():
        raise BadItem("no point of the map is indexed, so it has no grains; index the patterns again")
    from scipy import sparse

    links = joined(euler_rad, phase_index, laue, threshold_deg)
    count = phase_index.size
    graph = sparse.coo_array((np.ones(links.shape[1], np.int8), tuple(links)), shape=(count, count))
    parts = sparse.csgraph.connected_components(graph, directed=False)[1].reshape(phase_index.shape)
    if twins == "merge":
        parts = _merged(parts, twin_pairs(parts, euler_rad, phase_index, laue))
    return number(parts, phase_index > 0, min_points)


def neighbours(shape: tuple[int, ...]) -> np.ndarray:
    """List all pairs of points that share an edge (a face): int32 (2, pairs), flat indices into the map."""
    place = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    pairs = [(np.moveaxis(place, k, 0)[:-1].ravel(), np.moveaxis(place, k, 0)[1:].ravel()) for k in range(len(shape))]
    return np.concatenate([np.stack(pair) for pair in pairs], axis=1)


def twin_pairs(parts: np.ndarray, euler_rad: np.ndarray, phase_index: np.ndarray, laue: np.ndarray) -> np.ndarray:
    """List the pairs of grains (2, pairs) of which most of the common boundary is Sigma 3: 60 degrees about <111>.

    `parts`: numbers of the grains, of the shape of the map. A boundary point counts when its misorientation is within
    8.66 degrees of Sigma 3. Source: D. G. Brandon, Acta Metall. 14 (1966) 1479, 15 degrees / sqrt(3).
    """
    a, b = neighbours(parts.shape)
    part, phase, code = parts.ravel(), phase_index.ravel(), laue.ravel()
    edge = (part[a] != part[b]) & (phase[a] == phase[b]) & (phase[a] > 0) & np.isin(code[a], CUBIC)
    a, b = a[edge], b[edge]
    q = orientations.from_euler(np.moveaxis(euler_rad, 0, -1)).reshape(-1, 4)
    twin = np.zeros(len(a), bool)
    for laue_code in CUBIC:
        own = np.flatnonzero(code[a] == laue_code)
        for axis in AXES_111:
            turned = orientations.multiply(orientations.from_axis_angle(axis, 60.0), q[a[own]])
            twin[own] |= orientations.cos_half(turned, q[b[own]], laue_code) >= np.cos(np.radians(BRANDON_DEG / 2))
    low, high = np.minimum(part[a], part[b]), np.maximum(part[a], part[b])
    pairs, of = np.unique(np.stack([low, high]), axis=1, return_inverse=True)
    return pairs[:, np.bincount(of.ravel(), twin, pairs.shape[1]) > 0.5 * np.bincount(of.ravel())]


def _merged(parts: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Assign one number to parts connected by a chain of pairs."""
    from scipy import sparse

    count = int(parts.max()) + 1
    graph = sparse.coo_array((np.ones(pairs.shape[1], np.int8), tuple(pairs)), shape=(count, count))
    return sparse.csgraph.connected_components(graph, directed=False)[1][parts]


def joined(euler_rad: np.ndarray, phase_index: np.ndarray, laue: np.ndarray, threshold_deg: float) -> np.ndarray:
    """List the pairs of neighbours that belong together: int32 (2, pairs), flat indices into the map."""
    q = orientations.from_euler(np.moveaxis(euler_rad, 0, -1)).reshape(-1, 4)
    place = np.arange(phase_index.size, dtype=np.int32).reshape(phase_index.shape)
    near = np.cos(np.radians(threshold_deg) / 2)
    found = []
    for axis in range(place.ndim):
        a, b = np.moveaxis(place, axis, 0)[:-1].ravel(), np.moveaxis(place, axis, 0)[1:].ravel()
        phases = phase_index.ravel()
        same = (phases[a] == phases[b]) & (phases[a] > 0)
        a, b = a[same], b[same]
        close = np.abs(np.einsum("ij,ij->i", q[a], q[b])) >= near
        # most pairs are near as they stand; only the others need the symmetry of their crystal
        for code in np.unique(laue.ravel()[a]):
            apart = np.flatnonzero(~close & (laue.ravel()[a] == code))
            close[apart] = orientations.cos_half(q[a[apart]], q[b[apart]], int(code)) >= near
        found.append(np.stack([a[close], b[close]]))
    return np.concatenate(found, axis=1)


def number(parts: np.ndarray, counted: np.ndarray, min_points: int) -> np.ndarray:
    """Renumber parts of at least `min_points` points from 1, in the order of their first points; the rest is 0."""
    sizes = np.bincount(parts[counted], minlength=int(parts.max()) + 1)
    kept = sizes >= max(1, min_points)
    first = np.full(len(sizes), parts.size)
    present, at = np.unique(parts[counted], return_index=True)
    first[present] = at
    order = np.flatnonzero(kept)[np.argsort(first[kept], kind="stable")]
    new = np.zeros(len(sizes), np.int32)
    new[order] = np.arange(1, len(order) + 1, dtype=np.int32)
    return np.where(counted, new[parts], 0).astype(np.int32)
