"""Three properties by one network with three outputs, compared with three networks, one thread.

    python benchmarks/heads_speed.py [--crystals 1000] [--atoms 20 40]

Crystals of `atoms` atoms in the cell, from the public set matbench_log_gvrh_kvrh. Weights are random: the time does not
depend on them. The three networks are separate files with the same training set, whose distances are computed once.
Printed are the crystals per CPU second, the ratio of the times, and the largest difference between an output and the
network that has it alone.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
NEEDS = {"set": "matbench_log_gvrh_kvrh"}
SET, TARGETS = "matbench_log_gvrh_kvrh", ("one", "two", "three")


def files(graphs) -> tuple[dict, dict]:
    """Make random weights: property -> (arrays, card, output) of one network, and of three networks."""
    import torch
    from matlens.learn.loop import arrays_of
    from matlens.nets.crystal.cgcnn import CGCNN
    from matlens.predict import applicability_domain, crystal_networks

    torch.manual_seed(0)
    net = CGCNN()
    net.widen(len(TARGETS))
    net.eval()
    own = arrays_of(net)
    about, domain = applicability_domain.describe(graphs, range(len(graphs)))
    card = {"method": "cgcnn", "network": {}, "ensemble": 1, "target": TARGETS[0], "mean": 0.0, "std": 1.0, **about}
    card |= {"floor": 0.1, "quantile_90": 2.0}
    more = [{"target": name, "mean": 0.0, "std": 1.0, "floor": 0.1, "quantile_90": 2.0} for name in TARGETS[1:]]
    whole = {f"0/{name}": value for name, value in own.items()} | domain
    together = {name: (whole, {**card, "outputs": more}, name) for name in TARGETS}
    apart = {}
    for number, name in enumerate(TARGETS):
        single = crystal_networks.output_of("cgcnn", own, number)
        apart[name] = {f"0/{k}": value for k, value in single.items()} | domain, {**card, "target": name}, ""
    return together, apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=1000)
    parser.add_argument("--atoms", type=int, nargs=2, default=(20, 40), metavar=("LEAST", "MOST"))
    chosen = parser.parse_args()
    import numpy as np
    import pretrained_weights as weights
    import torch
    from _timing import warm
    from matlens.predict import properties

    torch.set_num_threads(1)
    made, names, _ = weights.crystals_of(SET)
    least, most = chosen.atoms
    some = [k for k, one in enumerate(made) if least <= len(one.species) <= most][: chosen.crystals]
    graphs = weights.graphs_of([made[k] for k in some], [names[k] for k in some])
    together, apart = files(graphs)
    one, table = warm(lambda: properties.by_networks(graphs, together, "cpu"))
    three, other = warm(lambda: properties.by_networks(graphs, apart, "cpu"))
    gap = np.abs(table["predicted"] - other["predicted"]).max()
    print(f"{len(graphs)} crystals of {graphs.atoms.mean():.1f} atoms, {len(TARGETS)} properties, distances included")
    print(f"one network with {len(TARGETS)} outputs: {len(graphs) / one:.0f} crystals a CPU second")
    print(f"{len(TARGETS)} networks: {len(graphs) / three:.0f} crystals a CPU second")
    print(f"ratio {three / one:.2f}; largest difference {gap:.1e}")


if __name__ == "__main__":
    main()
