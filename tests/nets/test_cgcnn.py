"""The crystal network has the published size and, with the authors' weights, gives the authors' numbers."""

import gzip
import json

import numpy as np
import pytest
import torch
from matlens.connect.neighbours import knn
from matlens.nets.crystal import elements
from matlens.nets.crystal.cgcnn import CGCNN


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def graph(crystals, dtype=torch.float32, pad=False):
    """Batch crystals given as (cell, frac, atomic numbers); `pad` repeats the authors' rule for too few neighbours."""
    parts, atoms, member = [], [], []
    for number, (cell, frac, species) in enumerate(crystals):
        source, other, _, distance, _ = knn(np.ascontiguousarray(cell), frac, 12, 8.0, False, False)
        missing = 12 - np.bincount(source, minlength=len(frac))
        if pad and missing.any():
            lone = np.repeat(np.arange(len(frac)), missing)
            source, other = np.append(source, lone), np.append(other, np.zeros(len(lone), int))
            distance = np.append(distance, np.full(len(lone), 9.0))
        parts.append((source + len(atoms), other + len(atoms), distance))
        atoms += list(species)
        member += [number] * len(species)
    source, other, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {
        "species": torch.tensor(atoms),
        "crystal": torch.tensor(member),
        "source": torch.tensor(source).long(),
        "neighbour": torch.tensor(other).long(),
        "distance": torch.tensor(distance, dtype=dtype),
        "count": len(crystals),
    }


def test_parameter_counts_are_the_published_ones():
    assert parameters(CGCNN()) == 80_833
    assert parameters(CGCNN(convolutions=4, hidden=32)) == 96_641


def test_a_crystal_written_down_in_another_way_gets_the_same_prediction():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = CGCNN().double().eval()
    cell, frac, species = (
        np.diag([4.0, 4.6, 5.1]) + rng.uniform(-0.5, 0.5, (3, 3)),
        rng.random((4, 3)),
        np.array([28, 13, 28, 8]),
    )
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(4)
    same = [
        (cell, frac, species),
        (cell @ rotation, frac, species),
        (cell, frac + [0.3, -2.2, 5.0], species),
        (cell, frac[order], species[order]),
        (cell * [[2], [1], [1]], np.concatenate([frac, frac + [1, 0, 0]]) / [2, 1, 1], np.tile(species, 2)),
    ]
    with torch.no_grad():
        together = net(graph(same, torch.float64))
        alone = torch.cat([net(graph([crystal], torch.float64)) for crystal in same])
    np.testing.assert_allclose(together, together[0].expand(5), atol=1e-10)
    np.testing.assert_allclose(alone, together, atol=1e-10)


def test_the_bits_of_the_elements_are_those_of_the_authors(data):
    known = json.loads(data("crystals/cgcnn_assets/atom_init.json").read_text())
    np.testing.assert_array_equal(elements.table()[1:101], [known[str(number)] for number in range(1, 101)])


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(0)
    net = CGCNN(width=4, convolutions=2, hidden=6, step=2.0).double()
    batch = graph(
        [(np.eye(3) * 3.0, np.zeros((1, 3)), [6]), (np.eye(3) * 3.5, np.array([[0, 0, 0], [0.5, 0.4, 0.5]]), [6, 8])],
        torch.float64,
    )
    weight = net.convs[0].fc_full.weight
    net(batch).sum().backward()
    with torch.no_grad():
        for place in [(0, 0), (3, 7), (5, 11)]:
            values = []
            for step in (1e-6, -2e-6):
                weight[place] += step
                values.append(net(batch).sum().item())
            weight[place] += 1e-6
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(weight.grad[place].item(), rel=1e-5, abs=1e-8)


@pytest.mark.slow
def test_official_checkpoint_gives_the_recorded_error_on_all_10987_crystals(data):
    """Mean absolute error of log10(K_VRH) 0.0987, median 0.0497: recorded with the authors' own forward pass."""
    from pymatgen.core import Element, Lattice

    checkpoint = torch.load(data("crystals/cgcnn_assets/bulk-moduli.pth.tar"), weights_only=True, map_location="cpu")
    net = CGCNN(convolutions=4, hidden=32).eval()
    net.load_state_dict(checkpoint["state_dict"])
    with gzip.open(data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    crystals = [
        (
            Lattice.from_parameters(*row["cell"]).matrix,
            np.array(row["frac"], float),
            [Element(s).Z for s in row["species"]],
        )
        for row in rows
    ]
    with torch.no_grad():
        found = torch.cat([net(graph(crystals[k : k + 256], pad=True)) for k in range(0, len(crystals), 256)])
    predicted = found.numpy() * checkpoint["normalizer"]["std"] + checkpoint["normalizer"]["mean"]
    error = np.abs(predicted - [row["y_log_kvrh"] for row in rows])
    assert error.mean() == pytest.approx(0.0987, abs=5e-5)
    assert np.median(error) == pytest.approx(0.0497, abs=2e-4)
