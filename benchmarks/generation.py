"""Time sampling of diffusion beside a plain torch loop and beside diffusers, of the same network; statistics of a set.

diffusers has an environment of its own: python -m venv DIR, then DIR/bin/pip install diffusers torch numpy. Run, with
PYTHONPATH=workflow and OMP_NUM_THREADS=1: DIFFUSERS_PYTHON=DIR/bin/python python benchmarks/generation.py
"""

import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import torch
from _timing import warm
from matlens.generate import ddpm, examples, statistics, trained
from matlens.image import cluster, lineal_path, two_point
from matlens.learn import cards
from matlens.store import io
from scipy import ndimage

WEIGHTS = Path(__file__).resolve().parents[1] / "data/weights/az80_generator.safetensors"
ROUNDS = 3
PHASES, STEPS, COUNT, SIDE = ["solid", "pore"], 20, 64, 32


def model():
    """Return a network with random weights and the examples that it is for."""
    rng = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(rng.normal(size=(64, SIDE, SIDE)), (0, 2, 2), mode="wrap")
    labels, empty = (noise > 0).astype(np.uint8), np.zeros(64)
    real = examples.Examples(
        labels, labels.astype(np.float32), np.ones((64, 1)), empty, empty, np.array(["train"] * 64)
    )
    options = {"conditions": ["c"], "periodic": True, "width": 16}
    net, network = trained.started("ddpm", real, 2, options, 0)
    card = trained.card(network, net, real, options, [])
    return trained.Model(net.eval(), card, torch.device("cpu")), real


def plain(net):
    """Sample by the shortest loop that does the same."""
    with torch.no_grad():
        x, state = torch.randn(COUNT, 1, SIDE, SIDE), torch.zeros(COUNT, 1)
        for step in range(STEPS):
            now, then = 1 - step / STEPS, 1 - (step + 1) / STEPS
            a, s = math.cos(now * math.pi / 2), math.sin(now * math.pi / 2)
            clean = (a * x - s * net(x, torch.full((COUNT,), now), state)).clamp(-1, 1)
            x = math.cos(then * math.pi / 2) * clean + math.sin(then * math.pi / 2) * (x - a * clean) / s
    return (x[:, 0] > 0).byte().numpy()


def by_diffusers(real) -> None:
    """Sample by the scheduler of diffusers and by ours, with the shipped weights, for the first of their conditions.

    The two take turns, and the least time of each counts.
    """
    python = os.environ.get("DIFFUSERS_PYTHON", "")
    if not python:
        print("diffusers: DIFFUSERS_PYTHON names no environment that has it")
        return
    made = trained.prepare(io.read_weights(WEIGHTS), io.read_json(cards.card_file(WEIGHTS)), device="cpu")
    asked = np.array(made.card["conditions"]["known"][0])
    work = lambda: ddpm.generate(asked, COUNT, np.random.default_rng(0), made, real, sampling_steps=STEPS)  # noqa: E731
    script = [python, str(Path(__file__).with_name("_diffusers.py")), str(WEIGHTS), *map(str, (COUNT, SIDE, STEPS))]
    times, peers = [], []
    for _ in range(ROUNDS):
        seconds, labels = warm(work)
        times.append(seconds)
        peer = json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        peers.append(peer["seconds"])
    ours, theirs = min(times), min(peers)
    what = f"sampling {COUNT} images of {SIDE}^2 in {STEPS} steps"
    print(f"{what}: {ours:.2f} s, diffusers {theirs:.2f} s, {theirs / ours:.2f} x")
    print(f"mean fraction: {(labels == 1).mean():.3f}, diffusers {peer['fraction']:.3f}")


def main():
    """Print the ratios."""
    torch.set_num_threads(1)
    made, real = model()
    asked = np.array([1.0])
    bare = warm(lambda: plain(made.net))[0]
    ours = warm(lambda: ddpm.generate(asked, COUNT, np.random.default_rng(0), made, real, sampling_steps=STEPS))[0]
    what = f"sampling {COUNT} images of {SIDE}^2 in {STEPS} steps"
    print(f"{what}: {ours:.2f} s, plain torch {bare:.2f} s, {bare / ours:.2f} x")
    by_diffusers(real)

    def by_measures():
        for one in real.labels:
            two_point.measure(one, PHASES, max_lag_px=SIDE // 2, periodic=True)
            lineal_path.measure(one, PHASES, max_lag_px=SIDE // 2)
            cluster.measure(one, PHASES, max_lag_px=SIDE // 2)

    names = ("two_point", "lineal_path", "cluster")
    sets = warm(lambda: statistics.of_set(real.labels, 1, names, True))[0]
    single = warm(by_measures)[0]
    what = "S2, lineal path, cluster of 64 images"
    print(f"{what}: {sets:.2f} s, the measures of quantify {single:.2f} s, {single / sets:.1f} x")


if __name__ == "__main__":
    main()
