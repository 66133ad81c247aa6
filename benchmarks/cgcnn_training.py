"""Training steps and answers of CGCNN at its authors' options, one thread: structures per CPU-second beside peers.

The peers are the authors' layer as their equation has it (atoms and bond joined for every edge, then one product), and
the package cgcnn2, a copy of the authors' code, where it is installed. They get Gaussians made beforehand, as in that
code; graphs, batches, loss and optimiser are the same for all, and all run in turn. Needs the public set
matbench_log_gvrh_kvrh. `--crystals n` takes the first n. `--others` adds the other networks, in batches of 64.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "workflow"), str(Path(__file__).resolve().parent)]
NEEDS = {"set": "matbench_log_gvrh_kvrh"}


def authors(net, torch):
    """Make the peer: the weights of our network, in the layer of the authors."""
    from torch.nn import functional as F

    def convolve(layer, x, edges, source, neighbour):
        joined = torch.cat([x[source], x[neighbour], edges], dim=1)
        gate, core = layer.bn1(layer.fc_full(joined)).chunk(2, dim=1)
        heard = torch.zeros_like(x).index_add(0, source, torch.sigmoid(gate) * F.softplus(core))
        return F.softplus(x + layer.bn2(heard))

    def forward(graph):
        x, edges = net.embedding(net.elements[graph["species"]]), graph["gaussians"]
        for layer in net.convs:
            x = convolve(layer, x, edges, graph["source"], graph["neighbour"])
        pooled = x.new_zeros(graph["count"], x.shape[1]).index_add(0, graph["crystal"], x)
        return net.head(pooled / torch.bincount(graph["crystal"], minlength=graph["count"])[:, None])

    return forward


def packaged(net, torch):
    """Make the network of cgcnn2 with our weights, and what it computes; None where that is not installed."""
    try:
        from cgcnn2.model import CrystalGraphConvNet
    except ImportError:
        print("cgcnn2 is not installed: left out")
        return None
    other = CrystalGraphConvNet(92, 41, atom_fea_len=64, n_conv=3, h_fea_len=128, n_h=1)
    other.load_state_dict(net.state_dict())

    def forward(graph):
        atoms = len(graph["species"])
        bonds, places = graph["gaussians"].view(atoms, 12, 41), graph["neighbour"].view(atoms, 12)
        return other(net.elements[graph["species"]], bonds, places, graph["members"])[0].squeeze(1)

    return other, forward


def speed(net, forward, batches, target, torch) -> float:
    """Train over all batches once and return structures per CPU-second; a first batch warms up."""
    net.train()
    optimiser = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
    started, done = None, 0
    for number, batch in enumerate(batches):
        if number == 1:
            started = time.process_time()
        optimiser.zero_grad(set_to_none=True)
        (forward(batch) - target[: batch["count"]]).square().mean().backward()
        optimiser.step()
        done += batch["count"] if started else 0
    return done / (time.process_time() - started)


def answers(net, forward, batches, torch) -> float:
    """Predict all batches once and return structures per CPU-second."""
    net.eval()
    with torch.inference_mode():
        forward(batches[0])
        started = time.process_time()
        for batch in batches:
            forward(batch)
    return sum(batch["count"] for batch in batches) / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=2048)
    parser.add_argument("--others", action="store_true", help="also the step of every other network, batches of 64")
    asked = parser.parse_args()
    import numpy as np
    import torch
    from matlens import connect, nets, registry
    from matlens.crystal import graphs, structures
    from matlens.store import io
    from screen_speed import stored

    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        every = structures.from_arrays(io.read_ragged(stored(asked.crystals, Path(folder))))

    def connected(method):
        function = registry.load(connect.METHODS, method)
        edges = connect.stack([function(one.cell, one.frac) for one in every], method)
        return graphs.from_arrays(structures.to_arrays(every) | edges)

    some = {"knn": connected("knn")}
    net = registry.load(nets.CRYSTAL_NETS, "cgcnn")()
    target = torch.randn(256)
    runs = np.array_split(np.arange(len(every)), -(-len(every) // 256))
    batches = [graphs.batch(some["knn"], run) for run in runs]
    for batch in batches:
        batch["gaussians"] = torch.exp(-(((batch["distance"][:, None] - net.centres) / net.step) ** 2))
        batch["members"] = torch.arange(len(batch["species"])).split(torch.bincount(batch["crystal"]).tolist())
    rivals = {"ours": (net, net), "the authors' layer": (net, authors(net, torch)), "cgcnn2": packaged(net, torch)}
    rivals = {name: rival for name, rival in rivals.items() if rival}
    rounds = [
        [(speed(*rival, batches, target, torch), answers(*rival, batches, torch)) for rival in rivals.values()]
        for _ in range(3)
    ]
    found = np.median(rounds, axis=0)
    print(f"CGCNN, {len(every)} crystals of {len(every.species) / len(every):.1f} atoms, per CPU-second:")
    for name, (train, answer) in zip(rivals, found, strict=True):
        ratios = "" if name == "ours" else f"   ours {found[0][0] / train:.2f} and {found[0][1] / answer:.2f} times"
        print(f"  {name:20s} trained {train:7.0f}   answered {answer:7.0f}{ratios}")
    for name in nets.CRYSTAL_NETS if asked.others else ():
        other = registry.load(nets.CRYSTAL_NETS, name)()
        if nets.GRAPHS[name] not in some:
            some[nets.GRAPHS[name]] = connected(nets.GRAPHS[name])
        few = np.array_split(np.arange(min(256, len(every))), 4)
        made = [graphs.batch(some[nets.GRAPHS[name]], run, other.line_graph) for run in few]
        size = sum(p.numel() for p in other.parameters())
        train, answer = speed(other, other, made, target, torch), answers(other, other, made, torch)
        print(f"  {name:13s} {size:10,d} parameters   trained {train:7.1f}   answered {answer:7.1f}")


if __name__ == "__main__":
    main()
