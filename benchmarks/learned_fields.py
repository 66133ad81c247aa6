"""CPU time of a network's field beside that of iterations of the solver, in one run.

A network is worth its time where its error is below that of the solver after the iterations that the same time buys:
compare the last column with `equal_cut_iterations` in field_scores of a study. Weights are random, which changes no
time. Run: python benchmarks/learned_fields.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from fields_speed import cell, seconds
from matlens.fields import methods, networks

CASES = (
    ((64, 64), "rotated", {"name": "fno", "width": 16}),
    ((64, 64), "rotated", {"name": "unet", "width": 12}),
    ((128, 128), "rotated", {"name": "fno", "width": 16}),
    ((128, 128), "rotated", {"name": "unet", "width": 12}),
    ((21, 21, 21), "hexahedra", {"name": "cnn3d", "width": 16}),
)


def main() -> None:
    """Print a line for every network and cell."""
    torch.set_num_threads(1)
    print("network  cell        prediction s  iteration s  iterations for the same time")
    for shape, scheme, network in CASES:
        item = cell("elastic", shape, 10.0)
        fields = 2 * len(shape) * (len(shape) + 1) // 2
        sizes = {"dims": len(shape), "channels": 2 + fields, "outputs": fields}
        net = networks.build({**network, **sizes}).eval()
        given = torch.zeros(1, 2 + fields, *shape)
        with torch.no_grad():
            net(given)
            taken = seconds(lambda n=net, g=given: n(g), 5)
        few, many = (seconds(lambda n=n, i=item, s=scheme: methods.cut(i, s, iterations=n)) for n in (2, 10))
        each = (many - few) / 8
        size = "x".join(map(str, shape))
        print(f"{network['name']:<8} {size:<11} {taken:12.4f} {each:12.5f}  {taken / each:6.1f}")


if __name__ == "__main__":
    main()
