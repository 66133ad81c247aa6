"""From files to graphs through the doors: shards change nothing, a bad crystal costs one row, graphs stand alone."""

import json

import numpy as np
import pytest
from matlens.crystal import structures
from matlens.store import io
from scripts import connect, ingest, ingest_plan

OPTIONS = {"disorder": "reject", "max_atoms": 50, "min_distance_a": 0.5, "targets": ["y"]}


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for k in range(7):
        cell = np.diag(rng.uniform(4, 6, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
        frac = [[0, 0, 0], [0.5, 0.5, 0.5 * (k != 3)], [0.5, 0, 0 if k != 5 else float("nan")]]
        rows.append({"id": f"c{k}", "y": k, "cell": cell.tolist(), "species": ["Na", "Cl", "O"], "frac": frac})
    rows[2]["frac"][1] = rows[2]["frac"][0]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def run(source, folder, shards, method, options):
    """Run the three doors; returns crystals, edges by name, and the rejected items."""
    settings = {**OPTIONS, "path": str(source)}
    plan, lost = folder / "plan", [folder / "plan_rejected"]
    ingest_plan.main("structures", settings, plan, lost[0])
    found, edges = [], []
    for shard in range(shards):
        store, index, graphs, table, *more = (folder / f"{name}{shard}" for name in "sigtra")
        outputs = {"structures": store}
        ingest.main(plan, "crystals", "structures", settings, [], f"{shard:04d}", shards, outputs, index, more[0])
        connect.main(store, method, options, graphs, table, more[1])
        arrays = io.read_ragged(graphs)
        found.append(structures.from_arrays(arrays))
        edges.append({name: arrays[name] for name in ("source", "neighbour", "image", "distance")})
        lost += more
        assert len(io.read_table(table)) == len(found[-1]) == len(io.read_table(index))
    joined = {name: np.concatenate([part[name] for part in edges]) for name in edges[0]}
    return structures.concatenate(found), joined, [item for path in lost for item in io.read_table(path)["item"]]


@pytest.mark.parametrize(("method", "options"), [("knn", {"k": 6}), ("radius", {"cutoff_a": 4.0}), ("voronoi", {})])
def test_shards_change_nothing_and_bad_crystals_are_rows(source, tmp_path, method, options):
    one, edges, lost = run(source, tmp_path / "one", 1, method, options)
    many, same, also = run(source, tmp_path / "many", 8, method, options)  # some shards hold nothing that is usable
    assert sorted(lost) == sorted(also) == ["c2", "c5"]
    assert one.item.tolist() == many.item.tolist() == ["c0", "c1", "c3", "c4", "c6"]
    assert one.key.tolist() == [0, 1, 3, 4, 6]
    np.testing.assert_array_equal(one.frac, many.frac)
    for name, values in edges.items():
        np.testing.assert_array_equal(values, same[name])


def test_an_element_that_no_network_knows_costs_its_crystal_alone(tmp_path):
    made = [
        structures.Crystal(4 * np.eye(3), np.array([number], np.uint8), np.zeros((1, 3))) for number in (100, 118, 28)
    ]
    io.write_ragged(tmp_path / "s", structures.to_arrays(structures.pack(range(3), ["Fm", "Og", "Ni"], made)))
    connect.main(tmp_path / "s", "knn", {"k": 6}, *(tmp_path / name for name in "gtr"))
    assert structures.from_arrays(io.read_ragged(tmp_path / "g")).item.tolist() == ["Fm", "Ni"]
    (row,) = io.read_table(tmp_path / "r").to_dict("records")
    assert row["item"] == "Og"
    assert "no features of element 118" in row["reason"]


def test_a_graph_stands_alone(source, tmp_path):
    run(source, tmp_path, 1, "voronoi", {})
    arrays = io.read_ragged(tmp_path / "g0")
    for number, one in enumerate(structures.from_arrays(arrays)):
        edge = slice(*arrays["edge_offsets"][number : number + 2])
        ends = one.frac[arrays["neighbour"][edge]] + arrays["image"][edge] - one.frac[arrays["source"][edge]]
        np.testing.assert_allclose(np.linalg.norm(ends @ one.cell, axis=1), arrays["distance"][edge])
        volume = (arrays["area"][edge] * arrays["distance"][edge]).sum() / 6
        assert volume == pytest.approx(abs(np.linalg.det(one.cell)), rel=1e-4)
