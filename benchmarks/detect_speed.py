"""CPU seconds of learned detectors for 512 x 512 pixels, over those of `blobs`: `python benchmarks/detect_speed.py`.

The networks learn for some seconds from simulated crystals, so that they propose as many objects as in use. Beside each
stands its ratio to the same network with its normalisations apart from its convolutions, and the largest difference of
the boxes that both find, in pixels.
"""

import sys
from pathlib import Path

import numpy as np
from _timing import cpu_seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

OPTIONS = {"epochs": 3, "patches": 32, "patch_px": 128, "batch": 4, "learning_rate": 3e-3, "device": "cpu"}
SIZES = {
    "centres": {"size_px": 40},
    "boxes": {"size_px": 30},
    "rcnn": {"anchor_px": 24},
    "cascade": {"min_radius_px": 12, "max_radius_px": 32},
    "windows": {"min_radius_px": 12, "max_radius_px": 32},
}


def as_trained(arrays, card):
    """Make the model without folding its normalisations into its convolutions."""
    from matlens.detect import networks
    from matlens.learn import devices
    from matlens.learn.pixels import Model

    net = networks.build(card["network"])
    devices.load_arrays(net, arrays)
    return Model(net.eval(), dict(card), devices.choose_device("cpu"))


def difference(one, other) -> float:
    """Return the largest difference of places and boxes of two detections; NaN if not as many."""
    from matlens import objects

    if len(one) != len(other):
        return np.nan
    names = [*objects.PLACE, *objects.BOX]
    return float(np.abs(one[names].to_numpy(float) - other[names].to_numpy(float)).max(initial=0.0))


def main() -> int:
    """Print the table; 0."""
    import torch
    from matlens import registry
    from matlens.detect import blobs, network_learning, networks
    from matlens.ingest.models import polyhedra

    torch.set_num_threads(1)
    rows = polyhedra.plan(images=6).to_dict("records")
    made = [polyhedra.read(row, ["ground", "crystal"], size_px=(512, 512), crystals=30) for row in rows]
    images = [m.pixels.astype(np.float32) / max(float(m.pixels.max()), 1e-6) for m in made]
    samples = [(image, m.truth, None, "train", str(at)) for at, (image, m) in enumerate(zip(images, made, strict=True))]
    base = cpu_seconds(lambda: blobs.detect(images[-1], min_radius_px=12, max_radius_px=32))
    print(
        f"{'method':<10}{'parameters':>12}{'s/image':>9}{'over blobs':>12}{'over plain':>12}{'found':>7}{'differs':>9}"
    )
    print(f"{'blobs':<10}{0:>12}{base:>9.3f}{1:>12.1f}")
    for method, own in SIZES.items():
        options = {**OPTIONS, **own}
        offered = {
            "samples": samples,
            "method": method,
            "initial": None,
            "checkpoint": None,
            "phases": [],
            "options": options,
        }
        arrays, card = registry.call(network_learning.learn, offered, options)
        model = networks.prepare(arrays, card, device="cpu")
        plain = as_trained(arrays, card)
        found, same = (networks.detect(images[-1], m) for m in (model, plain))
        spent, before = (cpu_seconds(lambda m=m: networks.detect(images[-1], m)) for m in (model, plain))
        head = f"{method:<10}{card['parameters']:>12,}{spent:>9.3f}{spent / base:>12.1f}{spent / before:>12.2f}"
        print(f"{head}{len(found):>7}{difference(found, same):>9.4f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
