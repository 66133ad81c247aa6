"""Learn to restore from pairs: noisy and clean images, or clean ones that a model of the instrument makes noisy."""

from collections.abc import Mapping

import numpy as np

from matlens import nets
from matlens.image import degrade as imaging
from matlens.image.scale import robust
from matlens.job.batch import BadItem
from matlens.learn import fit
from matlens.learn.options import Training
from matlens.restore import domain, quality
from matlens.restore import training as shared
from matlens.restore.training import CROPS, Crops

OTHER_UNIT = 2.0  # a clean image whose greys differ by more than this factor is reported
WINDOW_PX = {2: 256, 3: 64}  # largest edge of what is made noisy at a time, by the number of axes
SHARED = 2  # patches of a noisy window
DRAWS = 4  # noisy versions of a clean image that the domain of the training is described by


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = shared.TRAINING,
    crops: Crops = CROPS,
    degrade: Mapping | None = None,
) -> tuple[dict, dict]:
    """Train a network on pairs of a noisy and a clean image; returns its weights by name and its card.

    `samples`: (image, clean or None, "train" or "val", item). `degrade`: ranges of a model of the instrument (see
    `matlens.image.degrade.pair`), which makes a new noisy image of every patch of the clean ones, of the images where
    there is no clean one; None: the pairs as they are. The loss is the root of the mean squared error of a patch, over
    the standard deviation of its clean image; validation images score by their peak signal-to-noise ratio free of gain
    and offset. Raises BadItem if no item has a clean image and none is to be made.
    """
    from matlens.learn import loop

    samples = list(samples)
    shared.one_size(samples)
    pairs = _pairs(samples, degrade, training.seed)
    train = [pair for pair, role in pairs if role == "train"]
    judges = [pair for pair, role in pairs if role == "val" and np.isfinite(quality.span(pair[1]))]
    if not train:
        raise BadItem(
            "no training item has a clean image with contrast; give 'clean' in ingest, or 'degrade', or learn by "
            "noise2void"
        )
    start = nets.IMAGE_NETS, method, train[0][0][None], 1, options, initial, training.seed
    network, own, net, lacking = fit.started(*start)
    place = loop.choose_device(training.device)
    draw = _degraded(train, degrade) if degrade is not None else _cut(train)
    side, changes = shared.side_of(net, crops), crops.changes()

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(crops.steps()):
            yield _stacked(draw(crops.batch, side, changes, rng))

    task = loop.Task(
        batches, _loss, (lambda model: _score(model, judges, place)) if judges else None, steps=crops.steps()
    )
    stated = fit.stated(own, training, crops, degrade=degrade)
    data = shared.digest(samples, initial)
    arrays, card = fit.fitted(method, net, network, task, stated, training, data, checkpoint)
    images = [noisy for noisy, _ in train]
    if degrade is not None:
        rng = np.random.default_rng([training.seed, 1])
        images = [imaging.pair(clean, rng, **degrade)[0] for _ in range(DRAWS) for _, clean in train]
    return arrays, {**card, "not_from_initial_weights": lacking, "domain": domain.ranges(images)}


def _pairs(samples: list, degrade: Mapping | None, seed: int) -> list[tuple]:
    """List ((noisy, clean), role); with `degrade` one fixed noisy image of every clean one.

    A clean image of one grey value is left out: errors are judged by the contrast, and its would outweigh all others.
    """
    found = []
    for number, (image, clean, role, item) in enumerate(samples):
        true = image if clean is None and degrade is not None else clean
        if true is not None and true.min() == true.max():
            print(f"{item}: its clean image has one grey value, and nothing is learned from it")
        elif degrade is not None:
            rng = np.random.default_rng([seed, number])
            found.append((imaging.pair(true, rng, **degrade), role))
        elif clean is not None:
            found.append(((image, clean), role))
            gain = _gain(image, clean)
            if not 1 / OTHER_UNIT < gain < OTHER_UNIT:
                print(f"{item}: its greys are {gain:.3g} times those of its clean image; the network learns that, too")
    return found


def _gain(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the slope of an image on its clean one: 1 where both are in one unit, whatever the noise, or constant."""
    centred = clean - clean.mean(dtype=np.float64)
    power = float((centred**2).mean())
    return float((centred * image).mean()) / power if power > 0 else 1.0


def _cut(train: list):
    """Return the function that draws patches of pairs: (input, target, variance of the clean image)."""
    from matlens.learn import augment

    scales = [robust(noisy) for noisy, _ in train]
    inputs = [shared.seen(noisy, scale) for (noisy, _), scale in zip(train, scales, strict=True)]
    targets = [shared.seen(clean, scale) for (_, clean), scale in zip(train, scales, strict=True)]
    chances = np.array([image.size for image in inputs], float) / sum(image.size for image in inputs)

    def drawn(side: int, changes, rng):
        one = int(rng.choice(len(inputs), p=chances))
        noisy, clean = augment.draw([inputs[one]], [targets[one]], side, 0, 0.0, changes, rng, "image")
        return noisy, clean, float(targets[one].var())

    return lambda count, side, changes, rng: [drawn(side, changes, rng) for _ in range(count)]


def _degraded(train: list, degrade: Mapping):
    """Return the function that draws patches of clean images and makes noisy ones of them.

    What is made noisy is a window, as wide as an image where it can be, from which patches are cut: level and spread
    are those of the window. An image that is restored is scaled as a whole, and those of a patch would be others.
    """
    from matlens.learn import augment

    cleans = [clean for _, clean in train]
    scales = [imaging.levels(clean) for clean in cleans]
    chances = np.array([image.size for image in cleans], float) / sum(image.size for image in cleans)

    def draw(count: int, side: int, changes, rng):
        found = []
        while len(found) < count:
            one = int(rng.choice(len(cleans), p=chances))
            edge = max(side, min(WINDOW_PX[cleans[one].ndim], *cleans[one].shape))
            window, _ = augment.draw([cleans[one][None]], [cleans[one][None]], edge, 0, 0.0, changes, rng, "image")
            noisy, clean = imaging.pair(window[0], rng, scales[one], **degrade)
            scale = robust(noisy)
            power = float(cleans[one].var()) / scale[1] ** 2
            for _ in range(min(SHARED, count - len(found))):
                cut = tuple(slice(start, start + side) for start in rng.integers(0, edge - side + 1, noisy.ndim))
                found.append((shared.seen(noisy[cut], scale), shared.seen(clean[cut], scale), power))
        return found

    return draw


def _stacked(drawn: list) -> dict:
    """Stack patches to a batch of tensors."""
    import torch

    pixels, truth, power = zip(*drawn, strict=True)
    found = {"pixels": np.stack(pixels), "truth": np.stack(truth), "power": np.maximum(power, 1e-6)}
    return {name: torch.from_numpy(np.asarray(value, np.float32)) for name, value in found.items()}


def _loss(model, batch):
    """Return the root mean squared error over the standard deviation of the clean image, mean over the patches.

    A network with answers at several scales is judged at each: answer k and the target averaged over 2^k pixels.
    """
    from matlens.nets.pixel.restorer import AVERAGE

    total, shares = 0.0, 0.0
    for level, answer in enumerate(model(batch["pixels"])):
        answer, truth = answer.float(), batch["truth"]
        if level:
            answer, truth = (AVERAGE[truth.ndim - 2](one, 2**level) for one in (answer, truth))
        known = truth.isfinite()
        error = (answer - truth.nan_to_num()).where(known, 0.0) ** 2  # not NaN before: its gradient would be
        mean = error.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
        total = total + 0.5**level * (mean / batch["power"] + 1e-8).sqrt().mean()
        shares += 0.5**level
    return total / shares


def _score(model, judges: list, place) -> dict[str, float]:
    """Judge a network on whole images: relative error, and `score`, the mean peak signal-to-noise ratio in dB."""
    losses, ratios = [], []
    for noisy, clean in judges:
        found = shared.applied(model, place, noisy)
        true = clean.astype(np.float64)
        losses.append(np.sqrt(((found - true) ** 2).mean() / max(true.var(), np.finfo(float).tiny)))
        ratios.append(min(quality.psnr_db(quality.fitted(found.astype(np.float64), true), true), 100.0))
    return {"val_loss": float(np.mean(losses)), "score": float(np.mean(ratios))}
