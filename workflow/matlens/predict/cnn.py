"""Predict a property from image pixels by a small convolutional network."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.job.batch import rejection
from matlens.learn import cards
from matlens.learn.options import Training

PART = 64  # images per forward pass
SCALES = ("level", "spread", "mean", "scale")  # standardisation of grey levels and of the target


def shrink(image: np.ndarray, size_px: int) -> np.ndarray:
    """Downsample an image to a `size_px` x `size_px` grid by averaging; float32 (size_px, size_px).

    Each cell is the mean of the pixels between its edges, which are rounded to whole pixels; an image with fewer pixels
    than cells along an axis repeats them.
    """

    def means(values, axis):
        edges = np.arange(size_px) * values.shape[axis] / size_px
        starts = edges.astype(int)
        ends = np.maximum(starts + 1, np.append(starts[1:], values.shape[axis]))
        total = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis)], axis)
        width = (ends - starts).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
        return (total.take(ends, axis) - total.take(starts, axis)) / width

    return means(means(image.astype(np.float64), 0), 1).astype(np.float32)


def gathered(index, images: Iterable[tuple[int, np.ndarray]], size_px: int):
    """Stack the downsampled images of a study, in the order of its index.

    `index`: DataFrame with `key`, `item`, `axes`. `images`: (key, (y, x) in [0, 1]), at least those of 2-D items.
    Returns the index rows with a 2-D image, float32 (n, size_px**2), and rows of `rejected` for the others.
    """
    flat = index["axes"] == "yx"
    reason = "not a 2-D image; the image network reads 2-D images only"
    lost = [rejection(item, "predict", reason) for item in index[columns.ITEM][~flat]]
    table = index[flat].reset_index(drop=True)
    found = {key: shrink(image, size_px).ravel() for key, image in images}
    pixels = np.array([found[key] for key in table[columns.KEY]], np.float32)
    return table, pixels.reshape(len(table), size_px * size_px), lost


def texture(x: np.ndarray) -> np.ndarray:
    """Describe images (n, pixels) by mean, standard deviation and five quantiles, for the range flag."""
    quantiles = np.quantile(x, [0.01, 0.25, 0.5, 0.75, 0.99], axis=1).T
    return np.column_stack([x.mean(axis=1), x.std(axis=1), quantiles])


def blocks(size_px: int, grid: int = 4) -> dict[str, np.ndarray]:
    """Return the pixels of each cell of a grid, by name; importance is measured per cell."""
    number = np.arange(size_px) * grid // size_px
    cell = number[:, None] * grid + number[None, :]
    return {f"row {c // grid} column {c % grid}": np.flatnonzero(cell.ravel() == c) for c in range(grid * grid)}


class Estimator:
    """Scikit-learn style regressor around the network; rows of x are flattened square images.

    `folder`: checkpoints, one per training set; a killed job continues from them, and finished training is not
    repeated. `initial`: pretrained weights by name.
    """

    def __init__(self, network: dict, training: Training, batch: int, folder=None, initial: Mapping | None = None):
        self.network, self.training, self.batch = network, training, batch
        self.folder, self.initial = folder and Path(folder), initial

    def _images(self, x: np.ndarray):
        import torch

        side = round(x.shape[1] ** 0.5)
        return torch.from_numpy(((x - self.level) / self.spread).reshape(-1, 1, side, side).astype(np.float32))

    def _build(self) -> None:
        import torch

        from matlens.nets.pixel.regressor import ImageRegressor

        torch.manual_seed(self.training.seed)
        self.net = ImageRegressor(**self.network)

    def _identity(self, x: np.ndarray, y: np.ndarray) -> dict:
        """Return the identity of a training run, so that checkpoints of other runs are not used."""
        digest = hashlib.sha256(np.ascontiguousarray(x).tobytes() + np.ascontiguousarray(y, np.float64).tobytes())
        for name in sorted(self.initial or {}):
            digest.update(name.encode() + np.ascontiguousarray(self.initial[name]).tobytes())
        return {
            "network": self.network,
            "training": vars(self.training),
            "batch": self.batch,
            "data": digest.hexdigest(),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by name."""
        from matlens.learn import loop

        return loop.arrays_of(self.net)

    def about(self) -> dict:
        """Return the network options and the standardisation of grey levels and target, for a model card."""
        return {"network": self.network, **{name: getattr(self, name) for name in SCALES}}

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Estimator":
        """Train on all rows; images and target are standardised by the training set."""
        import torch

        from matlens.learn import loop

        self.level, self.spread = float(x.mean()), float(x.std()) or 1.0
        self.mean, self.scale = float(y.mean()), float(y.std()) or 1.0
        self._build()
        if self.initial:
            loop.load_arrays(self.net, self.initial, partly=True)
        images, target = self._images(x), torch.tensor((y - self.mean) / self.scale).float()
        steps = max(1, len(x) // self.batch)

        def batches(epoch: int, rng: np.random.Generator):
            order = rng.permutation(len(x))
            for step in range(steps):
                chosen = order[step::steps]
                turned = torch.rot90(images[chosen], int(rng.integers(4)), (2, 3))
                yield (turned.flip(3) if rng.random() < 0.5 else turned), target[chosen]

        task = loop.Task(batches, lambda net, batch: torch.nn.functional.mse_loss(net(batch[0]), batch[1]), steps=steps)
        identity = self._identity(x, y)
        name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        file = self.folder / f"{name}.safetensors" if self.folder else None
        loop.train(self.net, task, self.training, checkpoint=file, identity=identity, label="predict/cnn")
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict every row; the mean over the eight rotations and reflections of its image."""
        import torch

        from matlens.learn import loop

        images, place = self._images(x), loop.choose_device(self.training.device)
        net = self.net.eval().to(place)
        with torch.no_grad():
            turned = [torch.rot90(view, k, (2, 3)) for view in (images, images.flip(3)) for k in range(4)]
            found = torch.stack(
                [torch.cat([net(part.to(place)).cpu() for part in view.split(PART)]) for view in turned]
            )
        return found.mean(dim=0).double().numpy() * self.scale + self.mean


def estimator(
    folder=None,
    initial: Mapping | None = None,
    *,
    size_px: int = 64,
    width: int = 8,
    depth: int = 4,
    epochs: int = 60,
    batch: int = 16,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-3,
    seed: int = 0,
    device: str = "auto",
) -> Estimator:
    """Make an unfitted convolutional regressor for images of `size_px` squared. Source: see `ImageRegressor`."""
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    training = Training(epochs=epochs, seed=seed, device=device, **rates)
    return Estimator({"width": width, "depth": depth}, training, batch, folder, initial)


def initial_file(study: str, method: str, *, initial_weights: str | None = None) -> str | None:
    """Return the file of initial weights, from "<study>/<method>" or a path; None: random initialisation."""
    return cards.lent("predict", study, method, weights=initial_weights) if initial_weights else None


def first_of(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights of one network: the one trained on all items, else that of the first fold."""
    first = min(arrays, key=lambda name: int(name.partition("/")[0])).partition("/")[0]
    return {name.partition("/")[2]: value for name, value in arrays.items() if name.partition("/")[0] == first}


class Kept:
    """Collect the networks of all folds from `evaluate`; fold -1 is trained on every item.

    Estimators without `arrays` and `about` are not kept.
    """

    def __init__(self, items: Iterable, describe):
        self.items, self.describe = np.array(list(items), str), describe
        self.arrays, self.folds = {}, {}

    def __call__(self, fold: int, model: Estimator, half_width: float, train: np.ndarray, x: np.ndarray) -> None:
        """Keep the network of a fold."""
        if not hasattr(model, "arrays"):
            return
        values = self.describe(x)
        self.arrays |= {f"{fold}/{name}": value for name, value in model.arrays().items()}
        self.folds[str(fold)] = {
            **model.about(),
            "half_width_90": half_width,
            "train": self.items[train].tolist(),
            "range": [values.min(axis=0).tolist(), values.max(axis=0).tolist()],
        }

    def card(self, name: str, options: Mapping, settings: Mapping, initial: str | None) -> dict:
        """Return the model card of the networks."""
        own = next((fold["network"] for fold in self.folds.values()), {})
        folds = {name: {k: v for k, v in fold.items() if k != "network"} for name, fold in self.folds.items()}
        rest = {key: value for key, value in options.items() if key not in own}
        used = {item for fold in self.folds.values() for item in fold["train"]}
        roles = {item: "train" if item in used else "test" for item in self.items}
        about = {"network": own, "options": rest, "target": settings["target"], "split": dict(settings)}
        return cards.completed({**about, "folds": folds}, name, kind="images", roles=roles, initial=initial)


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, device: str = "auto") -> dict[str, Estimator]:
    """Return the networks of a weights file and its card, by fold. Raises ValueError if they do not fit."""
    from matlens.learn import loop

    made = {}
    for fold, about in card["folds"].items():
        one = Estimator(card["network"], replace(Training(), device=device), PART)
        for name in SCALES:
            setattr(one, name, about[name])
        one._build()
        loop.load_arrays(
            one.net, {k.partition("/")[2]: v for k, v in arrays.items() if k.partition("/")[0] == fold}
        )  # fmt: skip
        made[fold] = one
    return made


def apply(x: np.ndarray, arrays: Mapping, card: Mapping, *, device: str = "auto") -> dict[str, np.ndarray]:
    """Predict images (n, pixels) by the mean of the networks of all folds.

    Returns arrays of n: predicted, std (of the networks), half_width_90 (mean over the folds), and
    outside_training_range (outside the range of the training set of every network).
    """
    models, about = prepare(arrays, card, device=device), list(card["folds"].values())
    each, values = np.array([model.predict(x) for model in models.values()]), texture(x)
    outside = [((values < fold["range"][0]) | (values > fold["range"][1])).any(axis=1) for fold in about]
    return {
        "predicted": each.mean(axis=0),
        "std": each.std(axis=0),
        "half_width_90": np.full(len(x), np.mean([fold["half_width_90"] for fold in about])),
        "outside_training_range": np.all(outside, axis=0),
    }
