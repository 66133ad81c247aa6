"""Learn to restore from noisy images alone, by hiding pixels (Noise2Void)."""

from collections.abc import Mapping

import numpy as np

from matlens import nets
from matlens.learn import fit
from matlens.learn.options import Training
from matlens.restore import domain
from matlens.restore import training as shared
from matlens.restore.training import CROPS, Crops

RADIUS_PX = 5  # a hidden pixel is replaced by one at most so far away along each axis


def hidden(image: np.ndarray, part: float, span: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Replace random pixels by random neighbours: (image without them, where they are).

    `image`: (channels, [z,] y, x). With `span` "rows" or "columns" the pixels next to them along that axis are
    replaced, too, so that noise which neighbours share gives nothing away. Sources: A. Krull, T.-O. Buchholz, F. Jug,
    CVPR 2019, 2129; C. Broaddus et al., ISBI 2020, 159 (spans).
    """
    space = image.shape[1:]
    marked = rng.random(space) < part
    wide = marked
    if span != "none":
        axis = len(space) - (1 if span == "rows" else 2)
        wide = marked.copy()
        for step in (-2, -1, 1, 2):
            wide |= np.roll(marked, step, axis)
    places = np.nonzero(wide)
    from_where = tuple(_near(place, n, rng) for place, n in zip(places, space, strict=True))
    found = image.copy()
    found[(slice(None), *places)] = image[(slice(None), *from_where)]
    return found, marked


def _near(places: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a place near each of some along an axis, mirrored at the borders of the image."""
    moved = np.abs(places + rng.integers(-RADIUS_PX, RADIUS_PX + 1, len(places)))
    return np.clip(np.where(moved >= size, 2 * (size - 1) - moved, moved), 0, size - 1)


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = shared.TRAINING,
    crops: Crops = CROPS,
    hidden_part: float = 0.02,
    span: str = "none",
) -> tuple[dict, dict]:
    """Train a network to predict hidden pixels of noisy images; clean images are never looked at.

    `samples`: (image, clean or None, "train" or "val", item). `hidden_part`: part of the pixels of a patch that is
    hidden; `span` "rows" or "columns" hides two neighbours on either side along them, for noise that these share. The
    loss is the mean squared error at hidden pixels; validation images score by its negative value. It takes the noise
    as independent from one pixel to the next, or from one span to the next.
    """
    import torch

    from matlens.learn import augment, loop

    samples = list(samples)
    shared.one_size(samples)
    train, judges = ([shared.seen(image) for image, _, role, _ in samples if role == one] for one in ("train", "val"))
    start = nets.IMAGE_NETS, method, train[0], 1, options, initial, training.seed
    network, own, net, lacking = fit.started(*start)
    place = loop.choose_device(training.device)
    side, changes = shared.side_of(net, crops), crops.changes()

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(crops.steps()):
            drawn = [augment.draw(train, train, side, 0, 0.0, changes, rng, "image")[0] for _ in range(crops.batch)]
            yield _stacked([(patch, *hidden(patch, hidden_part, span, rng)) for patch in drawn])

    def score(model) -> dict[str, float]:
        rng, errors = np.random.default_rng(training.seed), []
        for image in judges:
            batch = _stacked([(image, *hidden(image, hidden_part, span, rng))])
            with torch.no_grad():
                errors.append(float(_loss(model, {name: one.to(place) for name, one in batch.items()})))
        return {"val_loss": float(np.mean(errors)), "score": -float(np.mean(errors))}

    task = loop.Task(batches, _loss, score if judges else None, steps=crops.steps())
    stated = fit.stated(own, training, crops, hidden_part=hidden_part, span=span)
    data = shared.digest([(image, None, role, item) for image, _, role, item in samples], initial)
    arrays, card = fit.fitted(method, net, network, task, stated, training, data, checkpoint)
    seen = domain.ranges(image for image, _, role, _ in samples if role == "train")
    return arrays, {**card, "not_from_initial_weights": lacking, "domain": seen}


def _stacked(drawn: list) -> dict:
    """Stack (image, image with hidden pixels replaced, where) to a batch of tensors."""
    import torch

    truth, pixels, marked = (torch.from_numpy(np.stack(parts)) for parts in zip(*drawn, strict=True))
    return {"truth": truth, "pixels": pixels, "marked": marked[:, None]}


def _loss(model, batch):
    """Return the mean squared error at hidden pixels."""
    answer = model(batch["pixels"])
    answer = answer[0] if isinstance(answer, list) else answer
    error = (answer.float() - batch["truth"]) ** 2 * batch["marked"]
    return error.sum() / batch["marked"].sum().clamp(min=1)
