"""Properties of every graph builder, and the known answers of each."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from matlens import connect, registry
from matlens.connect import knn, radius, voronoi
from matlens.job import batch

SC, ONE = np.eye(3), np.zeros((1, 3))
BCC = np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]])
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SCHEMA = Path(__file__).resolve().parents[2] / "workflow/schemas/connect.schema.yaml"


def crystal(seed, atoms=6):
    rng = np.random.default_rng(seed)
    return np.diag(rng.uniform(3, 7, 3)) + rng.uniform(-1.5, 1.5, (3, 3)), rng.random((atoms, 3))


def vectors(cell, frac, graph):
    return (frac[graph["neighbour"]] + graph["image"] - frac[graph["source"]]) @ cell


def columns_of(graph, atoms, order=None):
    """Sort what the edges of each atom carry, so that two descriptions of a crystal can be compared."""
    names = [name for name in ("distance", "solid_angle", "area") if name in graph]
    rows = [np.stack([graph[name][graph["source"] == atom] for name in names]) for atom in range(atoms)]
    return [np.sort(row, axis=1) for row in rows]


@pytest.mark.parametrize("method", connect.METHODS)
class TestEveryMethod:
    @pytest.fixture
    def function(self, method):
        return registry.load(connect.METHODS, method)

    def test_the_schema_says_the_defaults(self, method, function):
        schema = yaml.safe_load(SCHEMA.read_text())["properties"][method]["properties"]
        assert registry.options_of(function) == {name: part["default"] for name, part in schema.items()}

    def test_edges_are_those_of_their_vectors_and_sorted(self, method, function):
        cell, frac = crystal(0)
        graph = function(cell, frac)
        np.testing.assert_allclose(np.linalg.norm(vectors(cell, frac, graph), axis=1), graph["distance"], atol=1e-12)
        order = np.lexsort((graph["distance"].round(9), graph["source"]))
        assert (np.diff(graph["source"]) >= 0).all()
        np.testing.assert_allclose(graph["distance"][order], graph["distance"], atol=1e-8)
        assert graph["source"].dtype == graph["neighbour"].dtype == np.int32
        assert graph["image"].dtype == np.int16
        assert tuple(graph) == connect.EDGE_ARRAYS + connect.MORE_ARRAYS.get(method, ())

    @pytest.mark.parametrize("seed", range(4))
    def test_the_description_of_the_crystal_does_not_matter(self, method, function, seed):
        cell, frac = crystal(seed)
        rng = np.random.default_rng(seed + 100)
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        order, skew = rng.permutation(6), np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]])
        reference = columns_of(function(cell, frac), 6)
        double = np.concatenate([frac, frac + [1, 0, 0]]) / [2, 1, 1]
        for other, places, expected in (
            (cell @ rotation, frac, reference),
            (cell, frac + rng.normal(size=3), reference),
            (cell, frac - rng.integers(-3, 3, (6, 3)), reference),
            (skew @ cell, frac @ np.linalg.inv(skew), reference),
            (cell, frac[order], [reference[atom] for atom in order]),
            (cell * [[2], [1], [1]], double, reference * 2),
        ):
            found = columns_of(function(other, places), len(places))
            for one, two in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, two, atol=1e-7)

    def test_one_atom_in_a_long_thin_cell(self, method, function):
        graph = function(np.diag([2.0, 2.5, 30.0]), ONE)
        assert graph["distance"][0] == 2.0
        assert len(graph["source"]) >= 4


@pytest.mark.parametrize(
    ("cell", "frac", "facets"),
    [
        (SC, ONE, {1.0: (6, 1.0)}),
        (BCC, ONE, {np.sqrt(3) / 2: (8, 0.75 * np.sqrt(3) / 4), 1.0: (6, 1 / 8)}),
        (FCC, ONE, {np.sqrt(0.5): (12, 1 / (4 * np.sqrt(2)))}),
        (FCC, np.array([[0, 0, 0], [0.25, 0.25, 0.25]]), {np.sqrt(3) / 4: (4, None), np.sqrt(0.5): (12, None)}),
    ],
    ids=["simple cubic: cube", "bcc: truncated octahedron", "fcc: rhombic dodecahedron", "diamond: triakis truncated"],
)
def test_voronoi_cells_of_simple_crystals(cell, frac, facets):
    graph = voronoi.connect(cell * 3.7, frac)
    mine = graph["source"] == 0
    for distance, (count, area) in facets.items():
        shell = mine & np.isclose(graph["distance"], distance * 3.7)
        assert shell.sum() == count
        if area:
            np.testing.assert_allclose(graph["area"][shell], area * 3.7**2)
    assert mine.sum() == sum(count for count, _ in facets.values())
    assert graph["solid_angle"][mine].sum() == pytest.approx(4 * np.pi)


def test_hcp_has_twelve_facets_of_two_kinds():
    cell = np.array([[1, 0, 0], [-0.5, np.sqrt(3) / 2, 0], [0, 0, np.sqrt(8 / 3)]])
    graph = voronoi.connect(cell, np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]))
    assert np.bincount(graph["source"]).tolist() == [12, 12]
    np.testing.assert_allclose(graph["distance"], 1.0)


@pytest.mark.parametrize("seed", range(10))
def test_voronoi_cells_fill_the_crystal_and_facets_are_shared(seed):
    cell, frac = crystal(seed, 12)
    graph = voronoi.connect(cell, frac, min_solid_angle_sr=0.0)
    assert (graph["area"] * graph["distance"]).sum() / 6 == pytest.approx(abs(np.linalg.det(cell)), rel=1e-9)
    flow = graph["area"][:, None] * vectors(cell, frac, graph) / graph["distance"][:, None]
    for atom in range(12):  # the facets of a closed body cancel
        np.testing.assert_allclose(flow[graph["source"] == atom].sum(axis=0), 0, atol=1e-9)
    there = {}
    for k, (i, j, image) in enumerate(zip(graph["source"], graph["neighbour"], graph["image"], strict=True)):
        there[(i, j, *image)] = graph["area"][k]
    for (i, j, *image), area in there.items():
        if area > 1e-6:
            assert there[(j, i, *(-n for n in image))] == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("cell", [[2.5, 2.5, 120.0], [3.0, 3.0, 40.0], [30.0, 30.0, 2.5], [25.0, 25.0, 25.0]])
def test_voronoi_cells_fill_slabs_wires_and_boxes(cell):
    cell, frac = np.diag(cell), np.array([[0.5, 0.5, 0.4], [0.53, 0.5, 0.45]])
    for skew in (np.eye(3), np.array([[1, 0, 0], [3, 1, 0], [-2, 5, 1]])):
        graph = voronoi.connect(skew @ cell, frac @ np.linalg.inv(skew), min_solid_angle_sr=0.0)
        assert (graph["area"] * graph["distance"]).sum() / 6 == pytest.approx(abs(np.linalg.det(cell)), rel=1e-9)
        angles = np.bincount(graph["source"], weights=graph["solid_angle"])
        np.testing.assert_allclose(angles, 4 * np.pi)


def test_two_atoms_on_one_another_are_a_bad_item():
    with pytest.raises(batch.BadItem, match="Voronoi cells fill"):
        voronoi.connect(np.eye(3) * 4, np.zeros((2, 3)))


@pytest.mark.slow
def test_facets_are_those_of_pymatgen(data):
    from pymatgen.analysis.local_env import VoronoiNN
    from pymatgen.core import Lattice, Structure

    path = data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(300), strict=False)]
    for row in [row for row in rows if len(row["species"]) < 6][:6]:
        structure = Structure(Lattice.from_parameters(*row["cell"]), row["species"], np.array(row["frac"], float))
        graph = voronoi.connect(structure.lattice.matrix, structure.frac_coords, min_solid_angle_sr=1e-3)
        for atom in range(len(structure)):
            found = VoronoiNN(tol=0, compute_adj_neighbors=False).get_voronoi_polyhedra(structure, atom)
            facets = sorted((f["solid_angle"], f["area"], 2 * f["face_dist"]) for f in found.values())
            facets = np.array([facet for facet in facets if facet[0] >= 1e-3])
            mine = graph["source"] == atom
            ours = np.stack([graph[name][mine] for name in ("solid_angle", "area", "distance")], axis=1)
            assert ours.shape == facets.shape
            for column in range(3):
                np.testing.assert_allclose(np.sort(ours[:, column]), np.sort(facets[:, column]), atol=1e-5)


def test_radius_has_all_shells_and_refuses_too_many():
    graph = radius.connect(FCC * 4.0, ONE, cutoff_a=4.0)
    assert np.unique(graph["distance"].round(6), return_counts=True)[1].tolist() == [12, 6]
    assert len(radius.connect(SC * 9.0, ONE)["source"]) == 0
    with pytest.raises(batch.BadItem, match="lower cutoff_a"):
        radius.connect(FCC * 4.0, ONE, cutoff_a=50.0, max_edges=1000)


def test_atoms_with_few_neighbours_grow_keep_or_are_padded():
    cell = SC * 9.0
    assert len(knn.connect(cell, ONE, few="grow", ties="cut")["source"]) == 12
    assert len(knn.connect(cell, ONE, few="keep")["source"]) == 0
    padded = knn.connect(np.diag([5.0, 9.0, 9.0]), ONE, few="pad")
    np.testing.assert_allclose(padded["distance"], [5.0, 5.0] + [9.0] * 10)
    assert not padded["image"][2:].any()


def test_nearest_images_give_one_edge_a_pair_and_none_to_itself():
    cell, frac = crystal(3)
    graph = knn.connect(cell, frac, images="nearest", k=3)
    pairs = list(zip(graph["source"], graph["neighbour"], strict=True))
    assert len(set(pairs)) == len(pairs) == 18
    assert all(i != j for i, j in pairs)
    shifts = np.array(np.meshgrid(*[range(-3, 4)] * 3)).reshape(3, -1).T
    every = np.linalg.norm((frac[None, :, None] - frac[:, None, None] + shifts) @ cell, axis=-1).min(axis=-1)
    expected = np.sort(every, axis=1)[:, 1:4]
    np.testing.assert_allclose(graph["distance"].reshape(6, 3), expected)
    tied = knn.connect(
        FCC * 4, np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]), images="nearest", k=2, ties=True
    )
    assert np.bincount(tied["source"]).tolist() == [3, 3, 3, 3]


def test_stacked_graphs_keep_their_edges():
    graphs = [voronoi.connect(cell * 3, ONE) for cell in (SC, FCC)]
    stacked = connect.stack(graphs, "voronoi")
    assert stacked["edge_offsets"].tolist() == [0, 6, 18]
    np.testing.assert_array_equal(stacked["area"][6:], graphs[1]["area"])
    none = connect.stack([], "voronoi")
    assert {name: values.dtype for name, values in none.items()} == {n: v.dtype for n, v in stacked.items()}
    assert none["edge_offsets"].tolist() == [0]
