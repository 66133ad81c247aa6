"""Networks for pixels beside the pixel forest, and MONAI's U-Net where installed: `python
benchmarks/segmentation_training.py`.

First the speed: CPU-seconds of a training step and of an answer, per megapixel, at equal width and depth. Then, where
the public micrographs are (`--data`, a folder `superalloy_nasa` with train and val), what an equal number of
CPU-minutes buys: IoU on the four images of a spot that nobody trained on.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from _timing import cpu_seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

PHASES = ["matrix", "secondary", "tertiary"]


def candidates(width: int, depth: int) -> dict:
    """Make the networks to compare."""
    from matlens import registry
    from matlens.nets import NETS

    names = ("fcn", "unet", "unetpp", "unet3p")
    found = {name: registry.load(NETS, name)(width=width, depth=depth, outputs=3) for name in names}
    try:
        from monai.networks.nets import UNet

        channels = [width * 2**level for level in range(depth + 1)]
        found["monai UNet"] = UNet(2, 1, 3, channels, [2] * depth, num_res_units=2, norm="batch")
    except ImportError:
        print("monai is not installed: left out")
    return found


def speed(width: int, depth: int) -> None:
    """Print CPU-seconds per megapixel of a training step on 8 patches of 128 pixels, and of an answer to 512 x 512."""
    import torch
    from matlens.nets.pixel import losses

    print(f"{'network':<12}{'parameters':>12}{'train s/Mpx':>13}{'apply s/Mpx':>13}")
    patches, truth = torch.randn(8, 1, 128, 128), torch.randint(0, 3, (8, 128, 128))
    image = torch.randn(1, 1, 512, 512)
    settings = {"class_weights": None, "boundary": 0.0, "sigma_px": 3.0, "parts": losses.LOSSES["dice_cross_entropy"]}
    for name, net in candidates(width, depth).items():

        def step(net=net):
            losses.total(net(patches), truth, **settings).backward()

        def answer(net=net):
            with torch.no_grad():
                net(image)

        net.train()
        train = cpu_seconds(step) / (patches.numel() / 1e6)
        net.eval()
        apply = cpu_seconds(answer) / (image.numel() / 1e6)
        size = sum(p.numel() for p in net.parameters())
        print(f"{name:<12}{size:>12,}{train:>13.2f}{apply:>13.2f}")


def samples(folder: Path, part: str) -> list:
    """Read the images and masks of a split."""
    from PIL import Image

    found = []
    for path in sorted((folder / part / "images").glob("*.png")):
        image = np.asarray(Image.open(path), np.float32) / 255
        found.append((image, np.asarray(Image.open(folder / part / "labels" / path.name)), "train", path.stem))
    return found


def accuracy(folder: Path, minutes: float) -> None:
    """Print the pooled IoU on images never seen, of the forest and of U-Net after about `minutes` CPU-minutes."""
    from matlens import registry, segment
    from matlens.segment import overlap

    train, test = samples(folder, "train"), samples(folder, "val")
    epochs = max(1, round(minutes * 60 / 20))  # an epoch of 240 patches takes some 20 CPU-seconds
    settings = {"random_forest": {}, "unet": {"epochs": epochs, "patches": 240, "device": "cpu"}}
    print(f"{'method':<16}{'CPU-min':>8}" + "".join(f"{name:>11}" for name in [*PHASES, "mean IoU"]))
    for method, options in settings.items():
        offered = {"samples": train, "phases": PHASES, "method": method, "initial": None, "checkpoint": None}
        offered["options"] = options
        start = time.process_time()
        arrays, card = registry.call(registry.load(segment.LEARNERS, method), offered, options)
        spent = (time.process_time() - start) / 60
        model = registry.load(segment.PREPARES, method)(arrays, card)
        table = np.zeros((3, 3), np.int64)
        for image, truth, *_ in test:
            offered = {"image": image, "model": model, "colour": None}
            found = registry.call(registry.load(segment.METHODS, method), offered, {})
            table += overlap.confusion(truth, found, 3)
        scores = overlap.ious(table)
        print(f"{method:<16}{spent:>8.1f}" + "".join(f"{value:>11.3f}" for value in [*scores, scores.mean()]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--data", type=Path, help="folder of superalloy_nasa")
    parser.add_argument("--minutes", type=float, default=10.0, help="CPU-minutes that U-Net may train")
    options = parser.parse_args()
    speed(options.width, options.depth)
    if options.data:
        accuracy(options.data, options.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
