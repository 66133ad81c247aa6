"""Sampling of a network by the scheduler of diffusers, run by the interpreter of an environment of its own."""

import itertools
import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import numpy as np
import torch
from _timing import warm
from diffusers import DDIMScheduler
from matlens.nets.generate.ddpm import DDPM
from safetensors.torch import load_file

LEVELS = 1000
FRESH = 0.999  # of the new noise of DDPM; with all of it the scheduler takes the root of -1e-8 at the first step


def network(weights: str) -> tuple[DDPM, dict]:
    """Return the network of weights with its card."""
    card = json.loads(Path(weights).with_suffix(".json").read_text())
    about = card["network"]
    names = ("channels", "conditions", "wraps", "width", "depth")
    net = DDPM(**{name: about[name] for name in names if name in about})
    net.load_state_dict(load_file(weights))
    return net.eval(), card


def scheduler(steps: int) -> DDIMScheduler:
    """Return the scheduler of x_t = cos(pi t / 2) x + sin(pi t / 2) e, whose network returns v."""
    kept = [math.cos(math.pi / 2 * number / LEVELS) ** 2 for number in range(LEVELS + 1)]
    betas = np.array([1 - then / now for now, then in itertools.pairwise(kept)])
    found = DDIMScheduler(
        num_train_timesteps=LEVELS, trained_betas=betas, prediction_type="v_prediction", clip_sample=True,
        set_alpha_to_one=True, timestep_spacing="trailing",
    )  # fmt: skip
    found.set_timesteps(steps)
    return found


def sampled(net, card: dict, count: int, side: int, steps: int):
    """Sample images of the first condition in the card, with new noise at every step."""
    about, draw = card["conditions"], torch.Generator().manual_seed(0)
    scaled = [(a - m) / s for a, m, s in zip(about["known"][0], about["mean"], about["spread"], strict=True)]
    state, steps_of = torch.tensor(scaled, dtype=torch.float32).repeat(count, 1), scheduler(steps)
    with torch.no_grad():
        x = torch.randn((count, net.channels, side, side), generator=draw)
        for step in steps_of.timesteps:
            found = net(x, torch.full((count,), (int(step) + 1) / LEVELS), state)
            x = steps_of.step(found, step, x, eta=FRESH, use_clipped_model_output=True, generator=draw).prev_sample
    if not torch.isfinite(x).all():
        raise ValueError("the scheduler gave NaN")
    return (x[:, 0] > 0).numpy()


def main(weights: str, count: int, side: int, steps: int) -> None:
    """Print CPU seconds and the mean fraction of the images."""
    torch.set_num_threads(1)
    net, card = network(weights)
    seconds, found = warm(lambda: sampled(net, card, count, side, steps))
    print(json.dumps({"seconds": seconds, "fraction": float(found.mean())}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
