"""The networks for crystals follow their equations: atom by atom and bond by bond, in numpy, from the weights."""

import gzip
import json
from functools import partial

import numpy as np
import pytest
import torch
from matlens import connect, nets, registry
from matlens.crystal import graphs, structures
from matlens.nets.crystal import blocks, megnet, ogcnn
from matlens.nets.crystal.cgcnn import CGCNN
from matlens.nets.crystal.icgcnn import Convolution
from matlens.store import io

EPS = 1e-5  # of the batch norms of torch


def softplus(x):
    return np.logaddexp(0.0, x)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def arrays(net):
    return {k: v.detach().numpy().astype(float) for k, v in net.state_dict().items()}


def norm(w, name, x):
    scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + EPS)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def stirred(net):
    """Set random statistics in the batch norms of a network."""
    torch.manual_seed(1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            for value in (module.weight, module.bias, module.running_mean):
                value.detach().uniform_(-1.0, 1.0)
            module.running_var.uniform_(0.5, 2.0)
    return net


def stored(found, method="knn", **options):
    function = registry.load(connect.METHODS, method)
    made = [structures.Crystal(np.array(c, float), np.array(s, np.uint8), np.array(f, float)) for c, f, s in found]
    edges = connect.stack([function(one.cell, one.frac, **options) for one in made], method)
    packed = structures.pack(range(len(made)), [str(k) for k in range(len(made))], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


def batch(found, method="knn", line_graph=False, **options):
    every = stored(found, method, **options)
    made = graphs.batch(every, np.arange(len(every)), line_graph)
    return {k: v.double() if torch.is_tensor(v) and v.is_floating_point() else v for k, v in made.items()}


def distorted():
    rng = np.random.default_rng(3)
    cell = np.diag([4.0, 4.6, 5.1]) + rng.uniform(-0.5, 0.5, (3, 3))
    return cell, np.array([[0.02, 0.1, 0.05], [0.55, 0.4, 0.1], [0.1, 0.6, 0.55], [0.6, 0.1, 0.6]]), [28, 13, 31, 8]


def authors_cgcnn(w, table, graph):
    """Compute the network of Xie and Grossman for one crystal by loops; atoms bring their bits, edges 41 Gaussians."""
    x = np.array([table[z] @ w["embedding.weight"].T + w["embedding.bias"] for z in graph["species"].tolist()])
    source, other = graph["source"].tolist(), graph["neighbour"].tolist()
    layers = len({k.split(".")[1] for k in w if k.startswith("convs.")})
    weights = graph["weight"].tolist()  # all 1 by the authors' rule, which cuts the shell of the last neighbour
    for t in range(layers):
        name, heard = f"convs.{t}", np.zeros_like(x)
        for i, j, d, part in zip(source, other, graph["distance"].tolist(), weights, strict=True):
            bond = np.exp(-(((d - np.arange(0, 8.1, 0.2)) / 0.2) ** 2))
            z = np.concatenate([x[i], x[j], bond]) @ w[f"{name}.fc_full.weight"].T + w[f"{name}.fc_full.bias"]
            gate, core = np.split(norm(w, f"{name}.bn1", z), 2)
            heard[i] += part * sigmoid(gate) * softplus(core)
        x = softplus(x + norm(w, f"{name}.bn2", heard))
    pooled = softplus(softplus(x.mean(axis=0)) @ w["conv_to_fc.weight"].T + w["conv_to_fc.bias"])
    return float((pooled @ w["fc_out.weight"].T + w["fc_out.bias"])[0])


def bits(data):
    known = json.loads(data("crystals/cgcnn_assets/atom_init.json").read_text())
    return {int(z): np.array(row, float) for z, row in known.items()}


def test_cgcnn_is_its_equations():
    from matlens.nets.crystal import elements

    net = stirred(CGCNN(width=8, convolutions=2, hidden=6)).eval()
    graph = batch([distorted()])
    expected = authors_cgcnn(arrays(net), elements.table().astype(float), graph)
    with torch.no_grad():
        assert net.double()(graph).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["bulk-moduli", "formation-energy-per-atom"])
def test_with_the_weights_of_the_authors_real_crystals_get_the_numbers_of_their_equations(data, name):
    from pymatgen.core import Element, Lattice

    checkpoint = io.read_checkpoint(data(f"crystals/cgcnn_assets/{name}.pth.tar"))
    net = CGCNN(convolutions=4, hidden=32).eval()
    net.load_state_dict(checkpoint["state_dict"])
    with gzip.open(data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for _, line in zip(range(400), lines, strict=False)]
    some = [row for row in rows if len(row["species"]) <= 6][::40]
    found = [
        (
            Lattice.from_parameters(*row["cell"]).matrix,
            np.array(row["frac"], float),
            [Element(s).Z for s in row["species"]],
        )
        for row in some
    ]
    assert len(found) >= 4
    table, w = bits(data), arrays(net)
    expected = [authors_cgcnn(w, table, batch([one], few="pad", ties="cut")) for one in found]
    every = stored(found, few="pad", ties="cut")
    with torch.no_grad():
        together = net(graphs.batch(every, np.arange(len(found)))).numpy()
    np.testing.assert_allclose(together, expected, atol=1e-5)
    assert np.std(expected) > 0.1


def test_a_site_energy_is_what_the_head_says_of_one_atom_and_of_a_crystal_of_one_atom_all():
    net = stirred(CGCNN(width=8, convolutions=2, hidden=6)).double().eval()
    one, many = batch([(np.eye(3) * 3.1, [[0, 0, 0]], [29])]), batch([distorted()])
    with torch.no_grad():
        torch.testing.assert_close(net.site_values(one), net(one))
        torch.testing.assert_close(net.site_values(many), net.head(net.atoms(many)))
        assert abs(net.site_values(many).mean() - net(many)) < (net.site_values(many) - net(many)).abs().max()


def test_an_icgcnn_convolution_is_its_sums_over_bonds_and_pairs_of_bonds():
    layer = stirred(Convolution(3, 2)).double().eval()
    graph, w = batch([distorted()], "voronoi", line_graph=True), arrays(layer)
    source, other = graph["source"].tolist(), graph["neighbour"].tolist()
    torch.manual_seed(2)
    x, u = torch.randn(4, 3).double(), torch.randn(len(source), 2).double()
    found, bonds = layer(x, u, graph)

    def gate(name, *parts):
        z = np.concatenate(parts) @ w[f"{name}.full.weight"].T + w[f"{name}.full.bias"]
        f, c = np.split(norm(w, f"{name}.norm", z), 2)
        return sigmoid(f) * softplus(c)

    x, u = x.numpy(), u.numpy()
    atoms, along = np.zeros_like(x), np.zeros_like(u)
    for e, i in enumerate(source):
        heard = gate("two", x[i], x[other[e]], u[e])
        for f, same in enumerate(source):
            if same == i and f != e:
                heard = heard + gate("three", x[i], x[other[e]], u[e], x[other[f]], u[f])
        atoms[i] += heard[:3]
        along[e] += heard[3:]
    np.testing.assert_allclose(found.detach(), softplus(x + norm(w, "norm_atoms", atoms)), atol=1e-9)
    np.testing.assert_allclose(bonds.detach(), softplus(u + norm(w, "norm_bonds", along)), atol=1e-9)


def test_a_megnet_block_is_its_equations():
    torch.manual_seed(0)
    block = megnet.Block((5, 3), first=False).double()
    graph = batch([distorted(), (np.eye(3) * 4.1, [[0, 0, 0], [0.5, 0.5, 0.5]], [55, 17])], "radius", cutoff_a=4.0)
    source, other, crystal = (graph[name].tolist() for name in ("source", "neighbour", "crystal"))
    v, e, u = torch.randn(6, 3).double(), torch.randn(len(source), 3).double(), torch.randn(2, 3).double()
    w = arrays(block)

    def dense(name, x):
        for k in range(len([key for key in w if key.startswith(f"{name}.layers") and key.endswith("bias")])):
            x = softplus(x @ w[f"{name}.layers.{k}.weight"].T + w[f"{name}.layers.{k}.bias"]) - np.log(2.0)
        return x

    x, bonds, state = (dense(f"before.{k}", part.numpy()) for k, part in enumerate((v, e, u)))
    joined = [
        np.concatenate([x[i], x[j], bonds[k], state[crystal[i]]])
        for k, (i, j) in enumerate(zip(source, other, strict=True))
    ]
    new_e = dense("phi_e", np.array(joined))
    heard = np.array([new_e[np.array(source) == i].mean(axis=0) for i in range(6)])
    new_v = dense("phi_v", np.array([np.concatenate([heard[i], x[i], state[crystal[i]]]) for i in range(6)]))
    whose, crystal = np.array(crystal)[source], np.array(crystal)
    means = [
        np.concatenate([new_e[whose == c].mean(axis=0), new_v[crystal == c].mean(axis=0), state[c]]) for c in (0, 1)
    ]
    expected = v.numpy() + new_v, e.numpy() + new_e, u.numpy() + dense("phi_u", np.array(means))
    for got, wanted in zip(block(v, e, u, graph), expected, strict=True):
        np.testing.assert_allclose(got.detach(), wanted, atol=1e-9)


def test_set2set_is_a_recurrent_cell_of_torch_over_each_set():
    torch.manual_seed(0)
    layer = megnet.Set2Set(3, 4).double()
    cell = torch.nn.LSTMCell(8, 4).double()  # its gates are in the same order; its hidden state is half of the query
    x, member = torch.randn(7, 3).double(), torch.tensor([0, 0, 0, 1, 1, 1, 1])
    with torch.no_grad():
        cell.weight_ih.copy_(layer.recurrent.weight)
        cell.bias_ih.copy_(layer.recurrent.bias)
        cell.weight_hh.zero_()
        cell.bias_hh.zero_()
        found = layer(x, member, 2)
        for number in (0, 1):
            memory = layer.memory(x[member == number])
            query, state = torch.zeros(1, 8).double(), (torch.zeros(1, 4).double(), torch.zeros(1, 4).double())
            for _ in range(3):
                state = cell(query, state)
                share = (memory @ state[0][0]).softmax(0)
                query = torch.cat([state[0], (share[:, None] * memory).sum(0, keepdim=True)], dim=1)
            torch.testing.assert_close(found[number], query[0])


@pytest.mark.parametrize(
    ("number", "shells"), [(31, (2, 1, 10, 0)), (81, (2, 1, 10, 14)), (26, (2, 0, 6, 0)), (14, (2, 2, 0, 0))]
)
def test_valence_electrons_are_those_of_the_elements(number, shells):
    """Gallium and thallium have one p electron: the authors' table says otherwise."""
    row, expected, first = ogcnn.valence()[number], torch.zeros(32), 0
    for electrons, most in zip(shells, (2, 6, 10, 14), strict=True):
        if electrons:
            expected[first + electrons - 1] = 1.0
        first += most
    assert torch.equal(row, expected)


def test_valence_electrons_are_those_of_pymatgen():
    """All elements from hydrogen to fermium: the electrons beyond the noble gas, per shell."""
    from pymatgen.core import Element

    found = ogcnn.valence()
    for number in range(1, 101):
        structure = Element.from_Z(number).full_electronic_structure
        gas = max((z for z in (0, 2, 10, 18, 36, 54, 86) if z < number), default=0)
        core = {(level, shell) for level, shell, _ in Element.from_Z(gas).full_electronic_structure} if gas else set()
        expected, first = torch.zeros(32), 0
        for shell, most in zip("spdf", ogcnn.SHELLS, strict=True):
            electrons = sum(e for level, kind, e in structure if kind == shell and (level, kind) not in core)
            if electrons:
                expected[first + electrons - 1] = 1.0
            first += most
        assert torch.equal(found[number], expected), number


def test_the_field_of_a_neighbour_falls_by_the_power_of_its_distance():
    graph = batch([distorted()], "voronoi")
    graph["solid_angle"] = torch.ones_like(graph["solid_angle"])
    h = ogcnn.valence().double()
    for power in (1, 4):
        found = ogcnn.orbital_fields(graph, ogcnn.valence(), power)
        expected = torch.zeros(4, 32, 32).double()
        for i, j, d in zip(graph["source"], graph["neighbour"], graph["distance"], strict=True):
            expected[i] += torch.outer(h[graph["species"][j]], h[graph["species"][i]]) / (d / 0.529177210903) ** power
        torch.testing.assert_close(found, expected)


def test_a_layer_that_holds_its_batch_norm_answers_as_one_followed_by_it():
    torch.manual_seed(0)
    layer, after = torch.nn.Linear(5, 7).double(), stirred(torch.nn.BatchNorm1d(7)).double().eval()
    x = torch.randn(11, 5).double()
    weight, bias = blocks.folded(layer, after)
    torch.testing.assert_close(x @ weight.T + bias, after(layer(x)))


@pytest.mark.parametrize("name", nets.CRYSTAL_NETS)
def test_a_gpu_that_computes_in_half_precision_finds_sums_of_one_kind(name, monkeypatch):
    """On CUDA autocast makes exponentials single precision and products half: imitated on the CPU."""
    wide = {torch.nn.functional: "softplus", torch: "exp"}
    for owner, function in wide.items():
        monkeypatch.setattr(owner, function, partial(lambda real, x: real(x.float()), getattr(owner, function)))
    torch.manual_seed(0)
    net = registry.load(nets.CRYSTAL_NETS, name)(**{"alignn": {"width": 16}}.get(name, {}))
    every = stored([distorted()], nets.GRAPHS[name])
    graph = graphs.batch(every, [0], getattr(net, "line_graph", False))
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(graph).float().square().mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
