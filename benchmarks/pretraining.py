"""Gain by pretraining without labels on a material never seen: `python benchmarks/pretraining.py [--steps 200]`.

Leave one material out as in `carry_over`: a U-Net learns from the masks of the other sets, from random weights, or from
those of the same U-Net trained to remove noise from the images of the other sets, without their masks. Both learn from
the same masks. Prints mean IoU by set, mean and worst, beside an image of matrix, over some seeds, and the mean gain
with its standard error over the sets.
"""

import argparse
import sys
import time

import numpy as np
from carry_over import BATCH, NETWORK, PATCH_PX, PLAIN, SETS, bounds, load, mean_iou, trained

NOISE = (0.2, 1.0)  # least and largest standard deviation of the noise, in that of the image
RANDOM, FIRST = "random weights", "noise removed first"
RATE = 3e-3  # highest, of learning to remove noise


def denoised(images: list, steps: int, seed: int) -> dict:
    """Train a U-Net to remove noise from patches of images (y, x); returns its weights by name, without its head."""
    import torch
    from matlens.nets.pixel.unet import UNet

    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), UNet(channels=1, outputs=1, **NETWORK)
    seen = [(image - image.mean()) / max(float(image.std()), 1e-6) for image in images]
    seen = [image for image in seen if min(image.shape) >= PATCH_PX]
    optimiser = torch.optim.AdamW(net.parameters(), RATE)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        clean = np.stack([_patch(seen[rng.integers(len(seen))], rng) for _ in range(BATCH)])
        level = rng.uniform(*NOISE, (BATCH, 1, 1)).astype(np.float32)
        noisy = clean + level * rng.standard_normal(clean.shape, np.float32)
        answer = net(torch.from_numpy(noisy)[:, None])
        answer = answer[0] if isinstance(answer, list) else answer
        loss = ((answer[:, 0] - torch.from_numpy(clean)) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
    print(f"  noise removed: error {loss.item():.3f} of {float((level**2).mean()):.3f}", flush=True)
    return {name: part.numpy() for name, part in net.state_dict().items() if not name.startswith("outs.")}


def _patch(image: np.ndarray, rng) -> np.ndarray:
    """Cut a patch and turn it."""
    y, x = (int(rng.integers(n - PATCH_PX + 1)) for n in image.shape)
    patch = np.rot90(image[y : y + PATCH_PX, x : x + PATCH_PX], rng.integers(4))
    return np.ascontiguousarray(patch[:, :: 1 if rng.random() < 0.5 else -1], np.float32)


def main() -> int:
    """Print the table; 0."""
    import torch
    from matlens.segment import networks

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5, help="of 96 patches, on masks")
    parser.add_argument("--steps", type=int, default=200, help="of 4 patches, on noise")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    data, rows = {name: load(name) for name in SETS}, {}
    for held, judged in data.items():
        samples = [sample for name, part in data.items() if name != held for sample in part]
        start = time.process_time()
        rows[held, "matrix everywhere"] = bounds(judged)["matrix everywhere"]
        for seed in range(given.seeds):
            noise = denoised([image for image, *_ in samples], given.steps, seed)
            for kind, initial in {RANDOM: None, FIRST: noise}.items():
                model = trained(samples, {**PLAIN, "seed": seed}, given.epochs, initial)
                rows[held, f"{kind}, seed {seed}"] = mean_iou(judged, lambda image, m=model: networks.segment(image, m))
        line = "  ".join(f"{key[1]} {value:.3f}" for key, value in rows.items() if key[0] == held)
        print(f"{held}: {line}; {time.process_time() - start:.0f} CPU-s", flush=True)
    for method in dict.fromkeys(key[1] for key in rows):
        values = [value for key, value in rows.items() if key[1] == method]
        print(f"{method:<32} mean {np.mean(values):.3f}  worst {min(values):.3f}")
    gains = [
        np.mean([rows[held, f"{FIRST}, seed {s}"] - rows[held, f"{RANDOM}, seed {s}"] for s in range(given.seeds)])
        for held in data
    ]
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    print(f"gain by pretraining {np.mean(gains):+.3f} +- {error:.3f} (standard error over {len(gains)} sets)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
