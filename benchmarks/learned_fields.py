"""CPU time of a network's field, and the error of the solver that is stopped after the same time, in one run.

A network is worth its time where its error is below that of the solver in the last columns. Weights are random, which
changes no time. Run: python benchmarks/learned_fields.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import torch
from _timing import cpu_seconds
from fields_speed import cell
from matlens.fields import methods, networks

CASES = (
    ("elastic", (64, 64), "rotated", 10.0, {"name": "fno", "width": 16}),
    ("elastic", (64, 64), "rotated", 10.0, {"name": "unet", "width": 12}),
    ("elastic", (64, 64), "rotated", 50.0, {"name": "unet", "width": 12}),
    ("elastic", (64, 64), "rotated", 0.0, {"name": "unet", "width": 12}),
    ("elastic", (128, 128), "rotated", 50.0, {"name": "unet", "width": 12}),
    ("elastic", (21, 21, 21), "hexahedra", 50.0, {"name": "cnn3d", "width": 16}),
    ("elastoplastic", (64, 64), "rotated", 5.0, {"name": "unet", "width": 12}),
)
YIELDS = {"yield_gpa": (0.002, np.inf), "hardening_gpa": (0.01, 0.0)}  # of the soft and of the hard phase


def posed(quantity: str, shape: tuple[int, ...], ratio: float):
    """Make the cell of a case under 1 % of strain; elastoplastic, its soft phase yields."""
    item = cell("elastic", shape, ratio)
    properties = dict(item.properties)
    if quantity == "elastoplastic":
        properties |= {name: np.array(values) for name, values in YIELDS.items()}
    return item._replace(quantity=quantity, load=0.01 * item.load, properties=properties)


def predicting(item, network: dict) -> float:
    """Return the CPU seconds of a prediction: linear kernel, network, and the mean load."""
    shape = item.labels.shape
    fields = len(shape) * (len(shape) + 1)  # components of both fields
    net = networks.build({**network, "dims": len(shape), "channels": 2 + fields, "outputs": fields}).eval()
    kernel = {"kernel": np.zeros((fields, 3, *shape), np.float32), "mean": np.zeros((fields, 3), np.float32)}
    scales = {"mean": [0.0] * fields, "spread": [1.0] * fields, "correction": [1.0] * fields}
    model = networks.Model([net], kernel, {}, {"scales": scales, "axes": "zyx"[-len(shape) :]}, "cpu")
    networks.predict(item, model)
    return cpu_seconds(lambda: networks.predict(item, model), 5)


def bought(item, scheme: str, seconds: float) -> tuple[int, methods.Field]:
    """Return the iterations of the solver that a time buys, and its field after these."""
    for iterations in range(1, 65):
        if cpu_seconds(lambda n=iterations: methods.cut(item, scheme, iterations=n + 1), 5) > seconds:
            break
    return iterations, methods.cut(item, scheme, iterations=iterations)


def main() -> None:
    """Print a line for every network and cell."""
    torch.set_num_threads(1)
    print("                          prediction  solver   solver, stopped after the time of the prediction")
    print("network  cell       ratio          s       s   iterations  error of stress  of strain")
    for quantity, shape, scheme, ratio, network in CASES:
        item = posed(quantity, shape, ratio)
        taken = predicting(item, network)
        options = {"scheme": scheme, "tol": 1e-4}
        truth, whole = methods.fft(item, **options), cpu_seconds(lambda i=item, o=options: methods.fft(i, **o), 1)
        iterations, found = bought(item, scheme, taken)
        wrong = [
            np.linalg.norm(getattr(found, name) - getattr(truth, name)) / np.linalg.norm(getattr(truth, name))
            for name in ("answer", "cause")
        ]
        size = "x".join(map(str, shape)) + ("" if quantity == "elastic" else " J2")
        print(
            f"{network['name']:<8} {size:<10} {ratio:5g} {taken:10.4f} {whole:7.3f} {iterations:12d} {wrong[0]:16.4f} "
            f"{wrong[1]:10.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
