"""A property straight from the image, by a small convolutional network."""

import numpy as np

from matlens import columns
from matlens.job.batch import rejection
from matlens.store import io


def shrink(image: np.ndarray, size_px: int) -> np.ndarray:
    """Average an image over cells of a `size_px` x `size_px` grid; float32 (size_px, size_px).

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


def flat_images(index, shards: list, size_px: int):
    """Gather the shrunken images of a study, in the order of its index.

    `index`: DataFrame with `key`, `item`, `axes`. `shards`: paths of the image arrays. Returns the rows of the index
    that have a flat image, float32 (n, size_px**2), and rows of `rejected` for the others.
    """
    flat = index["axes"] == "yx"
    reason = "not a flat image; the image network reads two-dimensional images only"
    lost = [rejection(item, "predict", reason) for item in index[columns.ITEM][~flat]]
    table = index[flat].reset_index(drop=True)
    wanted, found = set(table[columns.KEY]), {}
    for path in shards:
        with io.read_arrays(path) as arrays:
            found |= {key: shrink(arrays.unit_interval(key), size_px) for key in arrays if key in wanted}
    pixels = np.array([found[key].ravel() for key in table[columns.KEY]], np.float32)
    return table, pixels.reshape(len(table), size_px * size_px), lost


def texture(x: np.ndarray) -> np.ndarray:
    """Describe images (n, pixels) by mean, standard deviation and five quantiles, for the flag on strangers."""
    quantiles = np.quantile(x, [0.01, 0.25, 0.5, 0.75, 0.99], axis=1).T
    return np.column_stack([x.mean(axis=1), x.std(axis=1), quantiles])


def blocks(size_px: int, grid: int = 4) -> dict[str, np.ndarray]:
    """Name the pixels of each cell of a grid: the parts of an image whose importance is measured."""
    number = np.arange(size_px) * grid // size_px
    cell = number[:, None] * grid + number[None, :]
    return {f"row {c // grid} column {c % grid}": np.flatnonzero(cell.ravel() == c) for c in range(grid * grid)}


class Estimator:
    """The network with the two methods of a scikit-learn regressor; rows of x are flattened square images."""

    def __init__(self, network: dict, training: dict, batch: int):
        self.network, self.training, self.batch = network, training, batch

    def _images(self, x: np.ndarray):
        import torch

        side = round(x.shape[1] ** 0.5)
        return torch.from_numpy(x.reshape(-1, 1, side, side).astype(np.float32))

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Estimator":
        """Learn from all rows; image and target are standardised by the training set."""
        import torch

        from matlens.learn import loop
        from matlens.nets.pixel.regressor import ImageRegressor

        self.level, self.spread = float(x.mean()), float(x.std()) or 1.0
        self.mean, self.scale = float(y.mean()), float(y.std()) or 1.0
        torch.manual_seed(self.training["seed"])
        self.net = ImageRegressor(**self.network)
        images, target = (
            self._images((x - self.level) / self.spread),
            torch.tensor((y - self.mean) / self.scale).float(),
        )
        steps = max(1, len(x) // self.batch)

        def batches(epoch: int, rng: np.random.Generator):
            order = rng.permutation(len(x))
            for step in range(steps):
                chosen = order[step::steps]
                turned = torch.rot90(images[chosen], int(rng.integers(4)), (2, 3))
                yield (turned.flip(3) if rng.random() < 0.5 else turned), target[chosen]

        def loss(net, batch):
            return torch.nn.functional.mse_loss(net(batch[0]), batch[1])

        loop.train(self.net, batches, loss, steps=steps, label="predict/cnn", **self.training)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict every row; the mean over the eight rotations and reflections of its image."""
        import torch

        images = self._images((x - self.level) / self.spread)
        with torch.no_grad():
            self.net.eval().cpu()
            turned = [torch.rot90(view, k, (2, 3)) for view in (images, images.flip(3)) for k in range(4)]
            found = torch.stack([torch.cat([self.net(part) for part in view.split(64)]) for view in turned])
        return found.mean(dim=0).double().numpy() * self.scale + self.mean


def estimator(
    *,
    size_px: int = 64,
    width: int = 8,
    depth: int = 4,
    epochs: int = 60,
    batch: int = 16,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-3,
    seed: int = 0,
) -> Estimator:
    """Make an unfitted convolutional regressor for images of `size_px` squared. Source: see `ImageRegressor`."""
    training = {"epochs": epochs, "learning_rate": learning_rate, "weight_decay": weight_decay, "seed": seed}
    return Estimator({"width": width, "depth": depth}, training, batch)
