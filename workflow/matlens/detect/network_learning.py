"""Train networks that find objects, on region maps; `networks` applies them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace

import numpy as np

from matlens import detect, nets, registry
from matlens.detect import frames, kinds, match, networks, scores, shard
from matlens.job.batch import BadItem
from matlens.learn import cards, fit, pixels
from matlens.learn import members as ensembles
from matlens.learn.options import CHANGES, LOOK, PATCHES, TRAINING, Changes, Look, Patches, Training, own_options
from matlens.learn.roles import split

SAMPLED = 20  # frames of an item that are learned from
REACH = 1.0  # a detection is right if its centre lies within this many radii of that of its object
OVERLAPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)  # of boxes, of which one is chosen
AVERAGE = 0.98  # decay of the running mean of the weights, which is judged and kept


def samples(arrays, marks, roles: Mapping[str, str], phases: list[str]) -> Iterator[tuple]:
    """Yield (image, regions, phases of the objects, role, item) of every training or validation item with truth.

    Of a video some frames; for the phases see `kinds.of_truth`.
    """
    for key in marks:
        about = arrays.attrs(key)
        role = roles.get(about["item"])
        if role not in ("train", "val") or "z" in about["axes"]:
            continue
        stack, truth = (frames.planes(part, about["axes"]) for part in (arrays.unit_interval(key), marks[key]))
        for at in np.unique(np.linspace(0, len(stack) - 1, min(SAMPLED, len(stack))).round().astype(int)):
            yield stack[at], *kinds.of_truth(truth[at], marks.attrs(key), phases), role, about["item"]


def _usable(samples) -> tuple[list, list]:
    """Split samples into training and validation samples: image, regions and phases of the objects.

    Validation samples without a single object cannot judge, and there are none.
    """
    train, judges = [], []
    for image, truth, named, role, item in samples:
        if truth.shape != image.shape:
            raise BadItem(f"the truth of '{item}' is of shape {truth.shape}, its image of {image.shape}")
        if not np.isfinite(image).all():
            raise BadItem(f"'{item}' contains NaN or infinite pixels; fix the image or exclude it with hold_out")
        (train if role == "train" else judges).append((image, truth, named))
    if not any((truth > 0).any() for _, truth, _ in train):
        raise BadItem("no object to learn from; add truths, or check the splits and hold_out of the study")
    return train, judges if any((truth > 0).any() for _, truth, _ in judges) else []


def candidates(net, device, judged: list, look: Mapping, overlaps: tuple) -> dict[float, list]:
    """Return by overlap, for every image, what a threshold is chosen on: scores, which are right, number of objects."""
    made: dict[float, list] = {overlap: [] for overlap in overlaps}
    for image, truth, _ in judged:
        maps, size = networks.mapped_whole(image, net, device, look)
        true, unlabelled = scores.truth_of(truth)
        for overlap, parts in made.items():
            found = networks.read(maps, size, net, image.shape, networks.FLOOR, overlap)
            own = networks.table({name: part for name, part in found.items() if name != "mask"}, image.shape)
            own = scores.labelled(own, unlabelled)
            value = own["score"].to_numpy()
            parts.append((value, match.by_score(match.inside(own, true, REACH), value), len(true)))
    return made


def best_overlap(found: Mapping[float, list]) -> dict:
    """Choose overlap and threshold of highest F1 together; of equal overlaps the one nearest to the usual.

    `found`: of `candidates`. Returns threshold, f1, curve, the chosen `overlap`, and the F1 of each that was tried.
    """
    tried = {overlap: scores.best_threshold(parts) for overlap, parts in found.items()}
    best = max(tried, key=lambda overlap: (tried[overlap]["f1"], -abs(overlap - networks.OVERLAP)))
    each = [[overlap, made["f1"]] for overlap, made in tried.items()]
    return {**tried[best], "overlap": best, "f1_by_overlap": each}


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    phases: list[str],
    *,
    training: Training = TRAINING,
    patches: Patches = PATCHES,
    changes: Changes = CHANGES,
    look: Look = LOOK,
    overlap: float | str = detect.AUTO,
    members: int = 1,
    views: str = "one",
) -> tuple[dict, dict]:
    """Train a network on images with numbered objects; returns its weights by name, and its card.

    `samples`: (image float32 in [0, 1], region map, phases of its objects or None, "train" or "val", item); a patch is
    drawn around an object, all as likely, in the part `balance` of the cases. A network that can tell kinds learns
    those of the study, the `kinds` of the card, where the phases of all objects are known. The card has the `threshold`
    and the `overlap` of highest F1 on the validation samples (or on the training samples if there are none, see
    `threshold_of`), that F1 and the curve of precision and recall; a detection is right if its centre lies in the
    circle of the area of its object. `overlap`: of two boxes that overlap by more the one of lower score is dropped;
    auto: the best of some. `members`: number of networks, with seeds that follow each other, whose boxes are fused; the
    card has threshold, overlap and F1 of each. `views`: what is found in "one" view of an image, or in its "mirrors" or
    turned by "right_angles", too, is fused: the last threshold is chosen so. Raises BadItem without any object.
    """
    if look.colour:
        raise BadItem("colour: true is for segmentation; detections are learned from grey images")
    train, judges = _usable(samples)
    own = own_options(nets.OBJECT_NETS, method, options)
    network = {"name": method.partition(".")[0], "channels": 1, **own}
    told = kinds.known(train, phases) if networks.names_kinds(method) else []
    if told:
        network["outputs"] = len(told)
    shown = [(pixels.seen(image, **asdict(look)), _target(truth, named, told, look)) for image, truth, named in train]
    data = pixels.digest([*shown, *(judge[:2] for judge in judges)], initial)
    few = (networks.OVERLAP,) if overlap == detect.AUTO else (float(overlap),)

    def judged(model, place, every: bool) -> dict:
        tried = OVERLAPS if every and overlap == detect.AUTO else few
        seen = _viewed(model, views if every else "one")
        return best_overlap(candidates(seen, place, judges or train, asdict(look), tried))

    made = []
    for number in range(members):
        seeded = replace(training, seed=training.seed + number)
        stated = fit.stated(own, seeded, patches, changes, look, views=views)
        begin = _beginning(network, initial, seeded)
        score = (lambda model, place=begin[1]: judged(model, place, False)) if judges else None
        task = _task(shown, begin[0].stride, patches, changes, score)
        path = ensembles.checkpoint_of(checkpoint, number) if number and checkpoint else checkpoint
        arrays, card = fit.fitted(method, begin[0], network, task, stated, seeded, data, path)
        made.append((*begin, arrays, card, _settled(judged(begin[0], begin[1], True))))
    for number in range(1, members) if checkpoint else ():
        ensembles.checkpoint_of(checkpoint, number).unlink(missing_ok=True)
    about = {"kinds": told, "threshold_of": "val" if judges else "train"}
    return _together(made, about, lambda model, place: _settled(judged(model, place, True)))


def _beginning(network: Mapping, initial: Mapping | None, training: Training) -> tuple:
    """Return a network to train, its device, and the names of its weights that are not among the initial ones."""
    import torch

    from matlens.learn import loop

    torch.manual_seed(training.seed)
    net = networks.build(network)
    kept = loop.load_arrays(net, initial, partly=True) if initial else []
    return net, loop.choose_device(training.device), kept


def _viewed(net, kind: str):
    """Return a network that sees the views of a kind."""
    from matlens.detect import views

    return views.of(net, kind)


def _settled(best: Mapping) -> dict:
    """Return what was chosen, with a threshold also where no detection was right."""
    level = 0.5 if best["threshold"] is None else max(best["threshold"], networks.FLOOR)
    return {**best, "threshold": level}


def _together(made: list, about: Mapping, judged: Callable) -> tuple[dict, dict]:
    """Return weights and card of the trained networks: of the only one, or of all as one detector.

    `made`: (network, device, names of weights that are new, weights, card, what was chosen) of each; `judged` chooses
    for all together.
    """
    from matlens.detect import ensemble

    _, place, kept, arrays, card, best = made[0]
    card = {**card, "not_from_initial_weights": kept, **about}
    if len(made) == 1:
        return arrays, {**card, **best}
    card["history"] = [{"member": number, **row} for number, one in enumerate(made) for row in one[4]["history"]]
    each = [{"scores": one[4]["scores"], **one[5]} for one in made]
    best = judged(ensemble.Ensemble([one[0] for one in made]), place)
    return ensembles.joined(one[3] for one in made), {**card, **best, ensemble.MEMBERS: each}


def _target(truth: np.ndarray, named: Mapping | None, told: list[str], look: Look) -> np.ndarray:
    """Return the numbers of objects that a network learns from, at the size at which it sees the image."""
    return kinds.numbered(pixels.marks_at(truth, look.magnification), named, told)


def _task(shown: list, stride: int, patches: Patches, changes: Changes, judge: Callable | None):
    """Make the training task: patches around objects, the loss that a network computes, and F1 as the score."""
    from matlens.learn import loop

    most = max(int(truth.max(initial=0)) for _, truth in shown) + 1
    batches, steps = pixels.lessons(shown, most, stride, patches, changes)

    class Task(loop.Task):
        average = AVERAGE

    score = (lambda model: {"score": judge(model)["f1"]}) if judge else None
    return Task(batches, lambda model, drawn: model(drawn["pixels"], drawn["truth"]), score, steps=steps)


def functions(method: str) -> list:
    """List the callables whose keyword-only arguments are the options of a method: its functions and its network."""
    found = [
        registry.load(table, method) for table in (detect.METHODS, detect.LEARNERS, detect.PREPARES) if method in table
    ]
    if method in detect.THRESHOLDS:
        return [*found, shard.judging]
    return (
        [*found, split, cards.lent, cards.initial, registry.load(nets.OBJECT_NETS, method)] if len(found) > 1 else found
    )
