"""Every network for crystals: its published size, its invariances, its gradients, its parts by hand."""

import numpy as np
import pytest
import torch
from matlens import connect, nets, registry
from matlens.crystal import graphs, structures
from matlens.nets.crystal import blocks

SMALL = {
    "alignn": {"width": 12, "alignn_layers": 1, "gcn_layers": 1, "embedding": 8},
    "cgcnn": {"width": 8, "convolutions": 2, "hidden": 8},
    "deepergatgnn": {"width": 8, "layers": 3},
    "gatgnn": {"width": 8, "layers": 2},
    "gated": {"width": 8, "layers": 2, "embedding": 8},
    "gcpnet": {"width": 8, "first": 1, "second": 1},
    "icgcnn": {"width": 8, "bond": 6, "convolutions": 2, "hidden": 8},
    "megnet": {"layers": 2},
    "ogcnn": {"width": 8, "encoded": 12, "convolutions": 2, "hidden": 8},
}
PUBLISHED = [
    ("cgcnn", {}, 80_833),
    ("ogcnn", {"width": 1536}, 30_986_753),
    ("megnet", {}, 167_761),
    ("gatgnn", {}, 134_154),
    ("gatgnn", {"layers": 5}, 201_116),
    ("deepergatgnn", {}, 737_186),
    ("alignn", {}, 4_026_753),
    ("gcpnet", {"width": 32}, 194_625),
    ("gcpnet", {}, 725_025),
    ("gcpnet", {"width": 128}, 2_818_017),
]


def stored(found, method: str) -> graphs.Graphs:
    """Connect crystals given as (cell, frac, species) as the stage does."""
    function = registry.load(connect.METHODS, method)
    edges = connect.stack([function(np.array(cell, float), np.array(frac, float)) for cell, frac, _ in found], method)
    made = [structures.Crystal(np.array(c, float), np.array(s, np.uint8), np.array(f, float)) for c, f, s in found]
    packed = structures.pack(range(len(made)), [f"c{k}" for k in range(len(made))], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


def batch(found, name: str, net) -> dict:
    every = stored(found, nets.GRAPHS[name])
    made = graphs.batch(every, np.arange(len(every)), net.line_graph)
    return {k: v.double() if torch.is_tensor(v) and v.is_floating_point() else v for k, v in made.items()}


def network(name: str):
    """Make a small network whose batch norms have seen something, so that they are no identities."""
    torch.manual_seed(0)
    net = registry.load(nets.CRYSTAL_NETS, name)(**SMALL[name]).double()
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(batch([cesium(), distorted()], name, net))
    return net.eval()


def cesium():
    return np.eye(3) * 4.1, [[0, 0, 0], [0.5, 0.5, 0.5]], [55, 17]


def distorted():
    rng = np.random.default_rng(3)
    cell = np.diag([4.0, 4.6, 5.1]) + rng.uniform(-0.5, 0.5, (3, 3))
    return cell, np.array([[0.02, 0.1, 0.05], [0.55, 0.4, 0.1], [0.1, 0.6, 0.55], [0.6, 0.1, 0.6]]), [28, 13, 28, 8]


def copies():
    """Write one crystal down in five other ways."""
    cell, frac, species = distorted()
    rng = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(4)
    return [
        (cell, frac, species),
        (cell @ rotation, frac, species),
        (cell, frac + [0.3, -2.2, 5.0], species),
        (cell, frac[order], np.array(species)[order]),
        (cell * [[2], [1], [1]], np.concatenate([frac, frac + [1, 0, 0]]) / [2, 1, 1], np.tile(species, 2)),
    ]


@pytest.mark.parametrize(("name", "options", "count"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(name, options, count):
    net = registry.load(nets.CRYSTAL_NETS, name)(**options)
    assert sum(p.numel() for p in net.parameters()) == count


def test_every_network_is_tested():
    assert set(SMALL) == set(nets.CRYSTAL_NETS) == set(nets.GRAPHS)


@pytest.mark.parametrize("name", SMALL)
def test_a_crystal_written_down_in_another_way_gets_the_same_prediction(name):
    net, found = network(name), copies()
    if name == "deepergatgnn":
        # Its weighted sum over atoms is a mean, so that a supercell changes nothing; see site_values.
        assert net.site_values(batch(found[:1], name, net)).sum().item() == pytest.approx(1.0)
    with torch.no_grad():
        together = net(batch(found, name, net))
        alone = torch.cat([net(batch([one], name, net)) for one in found])
    spread = (together - together[0]).abs().max().item()
    assert spread < 1e-5, spread  # distances are stored in single precision
    np.testing.assert_allclose(alone, together, atol=1e-9)


@pytest.mark.parametrize("name", SMALL)
def test_the_answer_depends_on_elements_and_on_distances(name):
    net, (cell, frac, species) = network(name), distorted()
    with torch.no_grad():
        found = net(
            batch([(cell, frac, species), (cell * 1.05, frac, species), (cell, frac, [27, *species[1:]])], name, net)
        )
    assert (found[1:] - found[0]).abs().min() > 1e-6


@pytest.mark.parametrize("name", SMALL)
def test_gradients_agree_with_finite_differences(name):
    net = network(name)
    made = batch([cesium(), distorted()], name, net)
    weight = next(p for p in net.parameters() if p.dim() == 2)
    net(made).sum().backward()
    gradient = weight.grad.clone()
    rows = np.flatnonzero(gradient.abs().sum(dim=1).numpy())
    assert len(rows)
    for row in rows[:3]:
        column, values = int(gradient[row].abs().argmax()), []
        with torch.no_grad():
            for step in (1e-6, -2e-6):
                weight[row, column] += step
                values.append(net(made).sum().item())
            weight[row, column] += 1e-6
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(gradient[row, column].item(), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", SMALL)
def test_an_atom_alone_and_the_heaviest_elements_have_an_answer(name):
    net = network(name)
    found = [(np.eye(3) * 3.0, [[0, 0, 0]], [z]) for z in (1, 92, 100)]
    with torch.no_grad():
        assert torch.isfinite(net(batch(found, name, net))).all()


@pytest.mark.parametrize("name", SMALL)
def test_a_network_learns_a_distance(name):
    rng = np.random.default_rng(0)
    sides = rng.uniform(3.2, 4.8, 24)
    found = [(np.eye(3) * side, [[0, 0, 0], [0.5, 0.5, 0.5]], [11, 17]) for side in sides]
    torch.manual_seed(0)
    net = registry.load(nets.CRYSTAL_NETS, name)(**SMALL[name]).double()
    made, target = batch(found, name, net), torch.tensor((sides - sides.mean()) / sides.std())
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        optimiser.zero_grad()
        loss = (net(made) - target).abs().mean()
        if loss.item() < 0.3:
            break
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.4  # a constant has about 0.87


def test_the_softmax_of_groups_is_that_of_each():
    values, member = torch.randn(9, 2, dtype=torch.float64) * 50, torch.tensor([0, 0, 2, 2, 2, 0, 3, 3, 2])
    found = blocks.softmax(values, member, 4)
    for group in (0, 2, 3):
        torch.testing.assert_close(found[member == group], values[member == group].softmax(dim=0))


def test_attention_is_its_equation_bond_by_bond():
    torch.manual_seed(0)
    layer = blocks.Attention(4, torch.nn.functional.softplus).double().eval()
    layer.bn1.running_mean.uniform_()
    x, edges = torch.randn(3, 4).double(), torch.randn(5, 4).double()
    source, neighbour = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([1, 2, 0, 1, 0])
    act, found = torch.nn.functional.softplus, layer(x, edges, source, neighbour)
    for i in range(3):
        heads = torch.zeros(4, dtype=torch.float64)
        for k in range(4):
            w = layer.W[:, 4 * k : 4 * k + 4]
            scores, values = [], []
            for e in (source == i).nonzero().flatten():
                own, other = act(torch.cat([x[i], edges[e]]) @ w), act(torch.cat([x[neighbour[e]], edges[e]]) @ w)
                raw = act(torch.cat([own, other]) @ layer.att[0, k])
                bn = layer.bn1
                raw = (raw - bn.running_mean[k]) / torch.sqrt(bn.running_var[k] + bn.eps) * bn.weight[k] + bn.bias[k]
                scores.append(act(raw))
                values.append(other)
            heads += sum(a * v for a, v in zip(torch.stack(scores).softmax(0), values, strict=True)) / 4
        torch.testing.assert_close(found[i], heads + layer.bias)


def test_attention_with_what_edges_share_is_attention_edge_by_edge():
    """Images of one atom at one distance, atoms at like distances, an atom that is its own neighbour; gradients too."""
    torch.manual_seed(0)
    layer = blocks.Attention(4, torch.nn.functional.softplus).double()
    source, neighbour = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2]), torch.tensor([1, 1, 1, 2, 0, 1, 0, 2])
    bond = torch.tensor([2, 2, 1, 0, 2, 1, 0, 0])
    at = blocks.ends(source, neighbour, bond, 3)
    assert len(at.atom) < 2 * len(source) and len(at.to) == len(source) - 1
    found = []
    for shared in (True, False):
        x, bonds = (torch.arange(12.0).view(3, 4).double().sin().requires_grad_() for _ in range(2))
        out = layer(x, bonds if shared else bonds[bond], source, neighbour, at if shared else None)
        layer.zero_grad()
        (out**2).sum().backward()
        found.append([out, x.grad, bonds.grad, *(p.grad.clone() for p in layer.parameters())])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


def test_a_group_norm_is_its_equation_group_by_group():
    torch.manual_seed(0)
    norm = blocks.DiffGroupNorm(4, 3).double()
    x = torch.randn(20, 4).double()
    found, share = norm(x), norm.lin(x).softmax(dim=1)
    expected = x.clone()
    for group in range(3):
        part = share[:, group : group + 1] * x
        expected += 0.01 * (part - part.mean(0)) / torch.sqrt(part.var(0, unbiased=False) + norm.norm.eps)
    torch.testing.assert_close(found, expected)


def test_the_orbital_field_matrix_is_that_of_matminer():
    """On elements without d electrons in an open shell, where matminer's rule for valence shells is the usual one."""
    from matlens.nets.crystal import ogcnn
    from matminer.featurizers.structure.matrix import OrbitalFieldMatrix
    from pymatgen.analysis.local_env import VoronoiNN
    from pymatgen.core import Lattice, Structure

    peer, facets = OrbitalFieldMatrix(period_tag=False), VoronoiNN(allow_pathological=True)

    cells = [(3.56, [[0, 0, 0], [0.5, 0.5, 0.5]], [11, 17]), (4.21, [[0, 0, 0], [0.5, 0.5, 0.5]], [12, 8])]
    for side, frac, species in cells:
        cell = np.eye(3) * side + np.array([[0, 0.1, 0], [0, 0, 0.2], [0.15, 0, 0]])
        # matminer takes distances between nearest images: a large cell makes those the neighbours.
        structure = Structure(Lattice(cell), species, frac).make_supercell(3, in_place=False)
        expected = [peer.get_single_ofm(structure[at], facets.get_nn_info(structure, at)) for at in (0, 27)]
        made = graphs.batch(stored([(cell, frac, species)], "voronoi"), [0])
        np.testing.assert_allclose(ogcnn.orbital_fields(made, ogcnn.valence()), expected, atol=2e-3)


def test_the_minimum_image_graph_has_one_edge_for_each_pair():
    from matlens.nets.crystal.deepergatgnn import minimum_image

    made = graphs.batch(stored([cesium(), distorted()], "knn"), [0, 1])
    kept = minimum_image(made)
    pairs = list(zip(kept["source"].tolist(), kept["neighbour"].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert all(a != b for a, b in pairs)
    assert kept["distance"][0].item() == pytest.approx(4.1 * 0.75**0.5, rel=1e-6)


def test_alignn_without_line_graph_needs_no_angles():
    torch.manual_seed(0)
    net = (
        registry.load(nets.CRYSTAL_NETS, "alignn")(width=8, alignn_layers=0, gcn_layers=2, embedding=8).eval().double()
    )
    assert not net.line_graph
    made = batch([cesium()], "alignn", net)
    assert "angle_cos" not in made and net(made).shape == (1,)
    same = registry.load(nets.CRYSTAL_NETS, "gated")(width=8, layers=2, embedding=8).eval().double()
    same.load_state_dict(net.state_dict())
    assert same(made).item() == net(made).item()


@pytest.mark.parametrize("name", SMALL)
def test_several_outputs_share_all_but_the_last_layer(name):
    net = network(name)
    made = batch([cesium(), distorted()], name, net)
    one, layer = net(made), getattr(net, net.readout)
    net.widen(3)
    wide = getattr(net, net.readout).double()
    with torch.no_grad():
        wide.weight[1], wide.bias[1] = layer.weight[0], layer.bias[0]
    assert net(made).shape == (2, 3)
    np.testing.assert_allclose(net(made)[:, 1].detach(), one.detach(), rtol=1e-12)
