"""Translate images of one domain, simulated say, to look like those of another one, without pairs (CycleGAN).

Domains are named by patterns of items: `target` those that images shall look like, `source` the others. Items of the
target, and of neither, stay as they are.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from matlens import nets
from matlens.image.scale import robust
from matlens.job.batch import BadItem
from matlens.learn import fit, pixels, tiles
from matlens.learn.options import Training
from matlens.learn.pixels import Model
from matlens.restore import conversion, domain, translation_task
from matlens.restore import training as shared
from matlens.restore.source_target import EVERY, domain_of
from matlens.restore.training import CROPS, Crops


def divided(
    samples: list, source: Iterable[str], target: Iterable[str], sliced: bool = True
) -> dict[str, list[np.ndarray]]:
    """Return the training images, of volumes their slices if `sliced`, by domain. Raises BadItem if one has none."""
    shared.one_size(samples)
    found = {name: [] for name in ("source", "target")}
    for image, _, role, item in samples:
        name = domain_of(item, source, target)
        if role == "train" and name:
            found[name].append(image)
    for name, images in found.items():
        if not images:
            raise BadItem(f"no training item is of the {name}; translation learns from two domains: check 'source', "
                          "'target', hold_out and the splits")  # fmt: skip
    return {name: [part for image in images for part in parts(image, sliced)] for name, images in found.items()}


def parts(image: np.ndarray, sliced: bool) -> list[np.ndarray]:
    """Return the slices of a volume if `sliced`, or an image alone: each is translated on its own."""
    return list(image) if sliced and image.ndim == 3 else [image]


def within(images: list[np.ndarray], limits, of: str) -> None:
    """Raise BadItem if no pixel of some images lies in a range of grey, which is then in other units, say."""
    low, high = limits
    if not any(((image >= low) & (image <= high)).any() for image in images):
        least, most = min(image.min() for image in images), max(image.max() for image in images)
        raise BadItem(f"no pixel of {of} is of greys {low:g} to {high:g}; it has those from {least:g} to {most:g}, and "
                      "ranges are in the units of the images")  # fmt: skip


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = shared.TRAINING,
    crops: Crops = CROPS,
    source: tuple = EVERY,
    target: tuple = (),
    keep: tuple = (),
    areas: tuple = (),
    slices: bool = True,
    cycle: float = 10.0,
    waves: float = 1.0,
) -> tuple[dict, dict]:
    """Train two generators and four critics on images of two domains; returns their weights by name and the card.

    `samples`: (image, clean or None, role, item); clean images are not looked at. `source`, `target`: patterns of
    items. `keep`: ranges of grey [lowest, highest], in the units of the images, whose pixels stay as they are.
    `areas`: {from, to, ratio}: the area of greys `to` after translation is that of greys `from` before, times `ratio`;
    with `rest`, a range of the target, pixels of `from` become one of both, and no other pixel changes (`conversion`).
    `slices`: volumes slice by slice; else as a whole, by networks of three dimensions. `cycle`, `waves`: weights of the
    way there and back, and of the critics in reciprocal space. Raises BadItem if a domain has no training image.
    """
    weights, fixed = {"cycle": cycle, "waves": waves}, {"keep": keep, "areas": areas, "slices": slices}
    return trained(
        samples, method, initial, checkpoint, options, training, crops, {"source": source, "target": target}, fixed,
        weights, lambda images, side, limits: translation_task.Cycle(images, side, crops, limits, weights),
    )  # fmt: skip


def trained(
    samples, method, initial, checkpoint, options, training, crops, domains: Mapping, fixed: Mapping, weights: Mapping,
    task_of: Callable,
) -> tuple[dict, dict]:  # fmt: skip
    """Train a network of two domains; see `learn`. `task_of(images, side, limits)` makes the task of the method.

    `domains`: source and target; `fixed`: keep, areas and slices; `weights`: those of the loss, for the card.
    """
    samples, keep, areas = list(samples), fixed["keep"], fixed["areas"]
    images = divided(samples, **domains, sliced=fixed["slices"])
    for limits in (*keep, *(one["from"] for one in areas)):
        within(images["source"], limits, "the source")
    for limits in (one[end] for one in areas if one.get("rest") is not None for end in ("to", "rest")):
        within(images["target"], limits, "the target")
    conversions = conversion.learned(areas, images["source"], images["target"])
    scale = robust(np.concatenate([image.ravel() for part in images.values() for image in part]))
    drawn = {name: [shared.seen(image, scale) for image in part] for name, part in images.items()}
    start = nets.IMAGE_NETS, method, drawn["source"][0], 1, options, initial, training.seed
    network, own, net, lacking = fit.started(*start)
    if method == "unit" and initial is None:
        net.scale({name: robust(np.concatenate([one.ravel() for one in part])) for name, part in drawn.items()})

    def in_scale(limits) -> list[float]:
        return [(limit - scale[0]) / scale[1] for limit in limits]

    soft = [one for one in areas if one.get("rest") is None]
    wanted = [(in_scale(one["from"]), in_scale(one["to"]), one["ratio"]) for one in soft]
    exact = [one.scaled(*scale) for one in conversions]
    limits = translation_task.Limits([in_scale(one) for one in keep], wanted, exact)
    task = task_of(drawn, shared.side_of(net, crops), limits)
    fixed = {**fixed, "keep": [list(map(float, one)) for one in keep], "areas": [dict(one) for one in areas]}
    stated = fit.stated(own, training, crops, **fixed, **weights)
    data = shared.digest([(image, None, role, item) for image, _, role, item in samples], initial)
    arrays, card = fit.fitted(method, net, network, task, stated, training, data, checkpoint)
    about = {"scale": list(scale), **{name: list(patterns) for name, patterns in domains.items()}}
    seen = domain.ranges(image for part in images.values() for image in part)
    about["conversions"] = [one._asdict() for one in conversions]
    return arrays, {**card, **about, "not_from_initial_weights": lacking, "domain": seen}


def restore(
    image: np.ndarray, model: Model, item: str, *, source: tuple = EVERY, target: tuple = (), seed: int = 0
) -> np.ndarray:
    """Translate an image of the source; one of another domain is returned as it is. Grey values keep their units.

    `seed`: of the noise that grain is made of, together with the name of the item. Volumes go slice by slice, unless
    the networks are of three dimensions.
    """
    if domain_of(item, source, target) != "source":
        return image
    if model.net.dims > image.ndim:
        raise BadItem("the networks translate volumes, and this is a flat image; learn with 'slices: true'")
    rng = np.random.default_rng([seed, zlib.crc32(item.encode())])
    made = [_translated(part, model, rng) for part in parts(image, sliced=model.net.dims == 2)]
    return np.stack(made) if image.ndim > model.net.dims else made[0]


def _translated(image: np.ndarray, model: Model, rng: np.random.Generator) -> np.ndarray:
    """Translate one image, or one volume by networks of three dimensions."""
    level, spread = model.card["scale"]
    seen = shared.seen(image, (level, spread))
    pair = np.concatenate([seen, rng.standard_normal(seen.shape, dtype=np.float32)])
    predict = pixels.predictor(model.net, model.device, pixels.as_is)
    found = tiles.bands(predict, pair, **pixels.layout_of(model.net, image.ndim))
    made = np.concatenate([values[0] for _, values in found]) * np.float32(spread) + np.float32(level)
    if conversions := [conversion.Conversion(**one) for one in model.card.get("conversions", ())]:
        scores, made = made - image + np.float32(conversion.TIES * spread) * pair[1], image
        for one in conversions:
            made = np.where(made == image, conversion.converted(image, one.sign * scores, one), made)
    for low, high in model.card["options"]["keep"]:
        made = np.where((image >= low) & (image <= high), image, made)
    return made


def learn_histograms(samples, *, source: tuple = EVERY, target: tuple = ()) -> tuple[dict, dict]:
    """Return the grey levels of both domains at equal ranks, as weights, and their card."""
    images, ranks = divided(list(samples), source, target), np.linspace(0, 1, 1025)
    found = {name: np.quantile(np.concatenate([i.ravel() for i in part]), ranks) for name, part in images.items()}
    return found, {"network": {"name": "histogram", "dims": 2}, "source": list(source), "target": list(target)}


def prepare_histograms(arrays: Mapping[str, np.ndarray], card: Mapping) -> dict:
    """Return the grey levels of both domains."""
    return dict(arrays)


def histogram(image: np.ndarray, model: Mapping, item: str, *, source: tuple = EVERY, target: tuple = ()) -> np.ndarray:
    """Map the grey levels of an image of the source to those of the target at equal ranks; others stay as they are."""
    if domain_of(item, source, target) != "source":
        return image
    levels, first = np.unique(model["source"], return_index=True)
    # A grey level that fills many ranks becomes the mean of the target over them.
    values = np.add.reduceat(model["target"], first) / np.diff([*first, len(model["source"])])
    return np.interp(image, levels, values).astype(np.float32)


def erosion(
    image: np.ndarray, item: str, *, range: tuple, fill: float, ratio: float, source: tuple = EVERY, target: tuple = ()
) -> np.ndarray:
    """Give the pixels of a range of grey that lie nearest to its rim the grey `fill`; a part `ratio` of them stays.

    The control of a translation in which a phase shrinks. Items of another domain than the source stay as they are.
    Raises BadItem if no pixel is of that range.
    """
    from scipy import ndimage

    if domain_of(item, source, target) != "source":
        return image
    low, high = range
    within([image], range, "it")
    inside = (image >= low) & (image <= high)
    depth = ndimage.distance_transform_edt(inside).ravel()
    own = np.flatnonzero(inside)
    lost = own[np.argsort(depth[own], kind="stable")[: len(own) - round(ratio * len(own))]]
    made = image.astype(np.float32)
    made.ravel()[lost] = fill
    return made
