"""Learned restoration beside a plain loop in torch: CPU seconds of training and of restoring an image.

Run: python benchmarks/restoration_speed.py. Both train the same network on the same batches, made of the same clean
images by the same model of a microscope, with the same loss and optimiser; the plain loop keeps no history and
validates nothing. Both restore the same image; the plain one at once, the other by tiles. The first round warms up and
does not count: what runs first pays for it. The order alternates; the least of each counts, since machines are busy.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from matlens.ingest.models import scenes
from matlens.learn import loop
from matlens.learn.options import Training
from matlens.nets.pixel.restorer import Restorer
from matlens.restore import pair_learning, training
from matlens.restore.training import Crops

STEPS, ROUNDS, SIDE = 12, 9, 512
CROPS = Crops(patches=STEPS * 8, patch_px=96)
DEGRADE = {"dose": [1, 50]}


def cleans(count: int = 6) -> list:
    """Make clean scenes as pairs of themselves."""
    off = dict.fromkeys(("dose", "noise"), 0.0)
    rows = scenes.plan(images=1).to_dict("records")[:count]
    images = [scenes.read(row, imaging=off).pixels.astype(np.float32) for row in rows]
    return [(image, image) for image in images]


def batches(draw, side: int, seed: int = 0):
    """Yield the batches of an epoch."""
    rng = np.random.default_rng([seed, 0])
    for _ in range(STEPS):
        yield pair_learning._stacked([draw(side, CROPS.changes(), rng) for _ in range(CROPS.batch)])


def trained(draw) -> float:
    """Train by the loop of the project; returns its CPU seconds."""
    net = Restorer()
    side = training.side_of(net, CROPS)
    task = loop.Task(lambda epoch, rng: batches(draw, side), pair_learning._loss, steps=STEPS)
    start = time.process_time()
    loop.train(net, task, Training(epochs=1, learning_rate=2e-3, device="cpu"), label="benchmark")
    return time.process_time() - start


def plain(draw) -> float:
    """Train by a plain loop; returns its CPU seconds."""
    import torch

    net = Restorer()
    side = training.side_of(net, CROPS)
    start = time.process_time()
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-4)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=STEPS)
    net.train()
    for batch in batches(draw, side):
        optimiser.zero_grad(set_to_none=True)
        pair_learning._loss(net, batch).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        rates.step()
    return time.process_time() - start


def restored(net, image: np.ndarray, by_tiles: bool) -> float:
    """Restore an image by tiles, or at once; returns CPU seconds."""
    import torch

    start = time.process_time()
    if by_tiles:
        training.applied(net, torch.device("cpu"), image)
    else:
        with torch.no_grad():
            net(torch.from_numpy(training.seen(image))[None])
    return time.process_time() - start


def least(own, peer) -> tuple[float, float]:
    """Return the least CPU seconds of two functions over rounds in alternating order, without the first round."""
    times = [[], []]
    for number in range(ROUNDS + 1):
        for at in ((0, 1), (1, 0))[number % 2]:
            times[at].append((own, peer)[at]())
    return min(times[0][1:]), min(times[1][1:])


def main() -> None:
    """Print CPU seconds and ratios of speed, plain over own: above 1 is faster than the plain loop."""
    import torch

    torch.set_num_threads(1)
    draw = pair_learning._degraded(cleans(), DEGRADE)
    own, peer = least(lambda: trained(draw), lambda: plain(draw))
    print(f"training, {STEPS} steps of 8 x 96 x 96: {own:.2f} s, plain loop {peer:.2f} s, ratio {peer / own:.2f}")
    net = Restorer().eval()
    image = np.random.default_rng(0).poisson(20, (SIDE, SIDE)).astype(np.float32)
    own, peer = least(lambda: restored(net, image, True), lambda: restored(net, image, False))
    print(f"an image of {SIDE} x {SIDE}: {own:.2f} s, plain network {peer:.2f} s, ratio {peer / own:.2f}")


if __name__ == "__main__":
    main()
