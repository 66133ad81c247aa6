"""Model: crystals of known habit in the electron microscope: convex polyhedra, shaded, overlapping, at any orientation.

A crystal is the set of points with n r <= d for the normals n of its faces (Wulff): the top of a pixel is the lowest of
its upper faces, so that no mesh is needed.
"""

from collections.abc import Mapping
from functools import cache
from itertools import permutations, product

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import sem, synthetic
from matlens.job.batch import BadItem

FACES = {"100": (1, 0, 0), "110": (1, 1, 0), "111": (1, 1, 1)}
HABITS = {  # distance of the faces from the centre, by their indices
    "cube": {"100": 1.0},
    "octahedron": {"111": 1.0},
    "rhombic_dodecahedron": {"110": 1.0},
    "cuboctahedron": {"100": 1.0, "111": 2 / np.sqrt(3)},
    "truncated_octahedron": {"100": 2.0, "111": np.sqrt(3)},
}
MARGIN = 0.2  # of a crystal's radius that its centre lies beyond the border, at most


def plan(*, images: int = 12, train_images: int = 4, val_images: int = 2, seed: int = 0):
    """List the images; the first have the split train, the next val, the others test."""
    return synthetic.divided("crystals", images, train_images, val_images, seed)


@cache
def faces_of(habit: str) -> tuple[np.ndarray, np.ndarray]:
    """Return normals (n, 3) and distances (n,) of the faces of a habit with the volume of a sphere of radius 1."""
    from scipy.spatial import ConvexHull, HalfspaceIntersection

    normals, distances = [], []
    for name, distance in HABITS[habit].items():
        every = {p for signs in product((1, -1), repeat=3) for p in permutations(np.multiply(FACES[name], signs))}
        found = np.array(sorted(every), float)
        normals.append(found / np.linalg.norm(found, axis=1, keepdims=True))
        distances.append(np.full(len(found), distance))
    n, d = np.concatenate(normals), np.concatenate(distances)
    corners = HalfspaceIntersection(np.column_stack([n, -d]), np.zeros(3)).intersections
    return n, d * (4 / 3 * np.pi / ConvexHull(corners).volume) ** (1 / 3)


def rotation(rng) -> np.ndarray:
    """Return a random rotation matrix, uniform over all orientations (from a normal quaternion)."""
    w, x, y, z = (q := rng.standard_normal(4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def seen_from_above(normals: np.ndarray, distances: np.ndarray, y: np.ndarray, x: np.ndarray):
    """Return which face is on top at each place and where there is one: (face, bool), both of the shape of y and x.

    `normals` (n, 3) in the order z, y, x.
    """
    top, bottom = np.full(y.shape, np.inf), np.full(y.shape, -np.inf)
    face = np.zeros(y.shape, np.int32)
    for number, ((nz, ny, nx), d) in enumerate(zip(normals, distances, strict=True)):
        left = d - ny * y - nx * x
        if abs(nz) < 1e-9:
            top = np.where(left < 0, -np.inf, top)
            continue
        height = left / nz
        if nz > 0:
            face = np.where(height < top, number, face)
            top = np.minimum(top, height)
        else:
            bottom = np.maximum(bottom, height)
    return face, top > bottom


def read(
    item: dict,
    phases: list[str],
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.01,
    habits: tuple = ("cube", "octahedron", "rhombic_dodecahedron"),
    crystals: int = 14,
    radius_px: float = 22.0,
    radius_cv: float = 0.15,
    ambient: float = 0.35,
    light_tilt_deg: tuple = (20.0, 60.0),
    greys: tuple = (0.2, 0.8),
    edge: float = 0.08,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one image; the truth numbers the crystals, the later one on top, and its table has their habit.

    `crystals`: in an image, of `habits` at random. `radius_px`, `radius_cv`: of the sphere of equal volume, the same
    for every habit, so that size says nothing of it. `ambient`: brightness of a face turned from the light as part of
    one that faces it. `light_tilt_deg`: least and largest angle of the light from the view, drawn for each image.
    `greys`: brightness of the ground and of a face towards the light.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    if strange := [habit for habit in habits if habit not in HABITS]:
        raise BadItem(f"there is no habit '{strange[0]}'; known are {', '.join(HABITS)}")
    rng = np.random.default_rng(seed)
    tilt, turn = np.radians(rng.uniform(*light_tilt_deg)), rng.uniform(0, 2 * np.pi)
    light = np.array([np.cos(tilt), np.sin(tilt) * np.sin(turn), np.sin(tilt) * np.cos(turn)])
    grey, faces = np.full(size, greys[0], np.float32), np.zeros(size, np.int32)
    truth, windows, labels = np.zeros(size, np.int32), [], []
    radii = synthetic.lognormal(radius_px, radius_cv, crystals, rng)
    for number, radius in enumerate(radii, start=1):
        habit = habits[rng.integers(len(habits))]
        normals, distances = faces_of(habit)
        normals = normals @ rotation(rng).T
        centre = rng.uniform(-MARGIN * radius, np.array(size) + MARGIN * radius)
        low, high = np.clip(np.array([centre - 2 * radius, centre + 2 * radius]), 0, size).astype(int)
        rows, cols = np.mgrid[low[0] : high[0], low[1] : high[1]] + 0.5
        face, inside = seen_from_above(normals, distances * radius, rows - centre[0], cols - centre[1])
        place = (slice(low[0], high[0]), slice(low[1], high[1]))
        bright = ambient + (1 - ambient) * np.clip(normals @ light, 0, None)
        grey[place][inside] = greys[0] + (greys[1] - greys[0]) * bright[face[inside]]
        faces[place][inside] = 64 * number + face[inside]
        truth[place][inside] = number
        windows.append(truth_objects.window_of(inside, int(low[0]), int(low[1])))
        labels.append(habit)
    made = synthetic.micrograph(
        grey,
        truth,
        sem.boundaries(faces),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_REGIONS: len(np.unique(truth)) - 1, columns.TRUE_RADIUS: float(radii.mean())},
    )
    made.objects = truth_objects.of_classes(truth, windows, labels, phases)
    return made
