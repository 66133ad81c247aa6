"""Segmentation that carries over to a material never seen: `python benchmarks/carry_over.py [--epochs 10]`.

Leave one material out: for every public set of micrographs with masks, a U-Net learns from all the others and is judged
on that one; no option is chosen there. Beside it: the classical method that is best on the same training sets (Otsu and
adaptive thresholds, both polarities), and the ways to apply one trained network (blur, scales, statistics of the image)
that need no training. The mask is of one phase against the rest. Prints mean IoU of both by set, mean and worst.
"""

import argparse
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

# set of the catalogue: the phases of its masks that are the phase to find
SETS = {
    "superalloy_nasa": ["secondary", "tertiary"],
    "gammaprime_ageing": ["gamma_prime"],
    "uhcs_spheroidite": ["particle"],
    "ebc_nasa": ["oxide", "crack"],
    "tem_loops_316l": ["loop"],
    "powder_ampis": ["phase"],
    "meltpool_nasa": ["phase"],
    "nist_grainsize": ["boundary"],
    "tbm_grains": ["boundary"],
    "tem_insitu_ti": ["phase"],
}
MOST = 6  # images of a set, so that none outweighs the others
SIDE = 512  # pixels of an image at most
PHASES = ["matrix", "phase"]
SIDES = ("bright", "dark")
NETWORK = {"width": 12, "depth": 3}
PATCH_PX, BATCH = 96, 4
PLAIN = {"curve": 0.0, "class_contrast": 0.0}
STRONG = {"noise": 0.6, "blur_px": 1.5, "zoom": 1.0, "curve": 0.5, "class_contrast": 0.6}
WAYS = {
    "as it is": {},
    "blur 1 px": {"input_blur_px": 1.0},
    "scales": {"scales": [0.7, 1.0, 1.4]},
    "batch statistics": {"adapt": "batch_statistics"},
    "scales and statistics": {"scales": [0.7, 1.0, 1.4], "adapt": "batch_statistics"},
}


def load(name: str) -> list:
    """Read some images of a set in the middle of their fields, with their masks: (image, truth, "train", item)."""
    from matlens.ingest import catalog
    from matlens.store import catalog as store

    values = store.entry(name)["items"].get("truth_values")
    phases = ["matrix", "phase"] if values is None else list(values)
    rows = catalog.plan(set=name)
    rows = rows[rows.get("truth_file", rows.get("objects_file")).notna()]
    found = []
    for row in rows.iloc[np.unique(np.linspace(0, len(rows) - 1, MOST).round().astype(int))].to_dict("records"):
        made = catalog.read({key: v for key, v in row.items() if v == v}, phases, set=name)
        wanted = [phases.index(phase) for phase in SETS[name]]
        truth = made.truth
        regions = truth.dtype == np.int32
        marks = np.where(truth < 0, 255, truth > 0) if regions else np.where(truth == 255, 255, np.isin(truth, wanted))
        cut = tuple(slice(max(0, (n - SIDE) // 2), max(0, (n - SIDE) // 2) + SIDE) for n in truth.shape)
        low, high = float(made.pixels.min()), float(made.pixels.max())
        image = (made.pixels[cut].astype(np.float32) - low) / max(high - low, 1e-6)
        found.append((image.astype(np.float32), marks[cut].astype(np.uint8), "train", f"{name}/{row['item']}"))
    return found


def classical() -> dict:
    """List the classical methods with every option that is tried."""
    from matlens.segment import adaptive, otsu

    found = {f"otsu {side}": (otsu.segment, {"foreground": side}) for side in SIDES}
    for side, block, offset in product(SIDES, (31, 101), (0.02, 0.06)):
        options = {"foreground": side, "block_px": block, "offset": offset}
        found[f"adaptive {side} {block} px {offset}"] = (adaptive.segment, options)
    return found


def mean_iou(samples: list, segment) -> float:
    """Pool the counts of all images of a set: mean IoU of both phases."""
    from matlens.segment import overlap

    table = sum(overlap.confusion(truth, segment(image), 2) for image, truth, *_ in samples)
    return float(np.nanmean(overlap.ious(table)))


def best_classical(train: dict[str, list], held: list) -> tuple[str, float]:
    """Choose the classical method that is best on the mean of the training sets; return it and its score elsewhere."""
    methods = classical()
    scores = {
        name: np.mean([mean_iou(part, lambda image, f=f, o=o: f(image, **o)) for part in train.values()])
        for name, (f, o) in methods.items()
    }
    best = max(scores, key=scores.get)
    function, options = methods[best]
    return best, mean_iou(held, lambda image: function(image, **options))


def bounds(judged: list) -> dict[str, float]:
    """Score a label image of one phase, and Otsu's threshold with its better side, which no method may know."""
    sides = [mean_iou(judged, lambda image, s=side: classical()[f"otsu {s}"][0](image, foreground=s)) for side in SIDES]
    return {
        "matrix everywhere": mean_iou(judged, lambda image: np.zeros(image.shape, np.uint8)),
        "otsu, better side": max(sides),
    }


def trained(samples: list, changes: dict, epochs: int, initial: dict | None = None):
    """Train a U-Net, from weights by name where they are given; returns its model."""
    from matlens import registry
    from matlens.segment import network_learning, networks

    options = {
        **NETWORK, "epochs": epochs, "patches": 96, "patch_px": PATCH_PX, "batch": BATCH, "learning_rate": 6e-3,
        "device": "cpu", **changes,
    }  # fmt: skip
    offered = {"samples": samples, "phases": PHASES, "method": "unet", "initial": initial, "checkpoint": None}
    arrays, card = registry.call(network_learning.learn, {**offered, "options": options}, options)
    return networks.prepare(arrays, card, device="cpu")


def main() -> int:
    """Print the table; 0."""
    from matlens.learn.options import Application
    from matlens.segment import networks

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="of 96 patches; about 4 CPU-seconds each")
    given = parser.parse_args()
    data = {name: load(name) for name in SETS}
    rows = {}
    for held, judged in data.items():
        others = {name: part for name, part in data.items() if name != held}
        samples = [sample for part in others.values() for sample in part]
        start = time.process_time()
        name, rows[held, "classical"] = best_classical(others, judged)
        rows |= {(held, key): value for key, value in bounds(judged).items()}
        for kind, changes in {"plain": PLAIN, "strong": STRONG}.items():
            model = trained(samples, changes, given.epochs)
            for way, options in WAYS.items():
                applied = Application(**options)
                rows[held, f"{kind}, {way}"] = mean_iou(
                    judged, lambda image, m=model, a=applied: networks.segment(image, m, application=a)
                )
        line = "  ".join(f"{key[1]} {value:.3f}" for key, value in rows.items() if key[0] == held)
        print(f"{held}: {name}; {line}; {time.process_time() - start:.0f} CPU-s", flush=True)
    for method in dict.fromkeys(key[1] for key in rows):
        values = [value for key, value in rows.items() if key[1] == method]
        print(f"{method:<32} mean {np.mean(values):.3f}  worst {min(values):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
