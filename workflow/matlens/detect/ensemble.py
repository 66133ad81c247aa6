"""Several networks as one detector: their boxes are fused, and the score of a box is the mean of all networks.

Source: R. Solovyev, W. Wang, T. Gabruseva, Image Vis. Comput. 107 (2021) 104117 (weighted boxes fusion).
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch

from matlens.job.batch import BadItem
from matlens.learn import members
from matlens.nets.objects import ops

MEMBERS = "members"
LEAST = 0.02  # lowest score of a network that counts in the mean, whatever the threshold of the fused score is
SHARED = 0.5  # intersection over union from which boxes of two networks are of one object


def parts(arrays: Mapping[str, np.ndarray], card: Mapping) -> list[dict]:
    """Return the weights of every network of a card; those of a card of one network are its own."""
    if MEMBERS not in card:
        return [dict(arrays)]
    return [members.part(arrays, number) for number in range(len(card[MEMBERS]))]


def of_member(card: Mapping, member: int | None) -> dict:
    """Return the card of one network of an ensemble, counted from 0; the card itself for None.

    Raises BadItem if there is no such network.
    """
    if member is None:
        return dict(card)
    count = len(card.get(MEMBERS, [None]))
    if member >= count:
        raise BadItem(f"member {member} is not among the {count} networks of the weights, which are counted from 0")
    return {**card, **card.get(MEMBERS, [{}])[member]}


class Ensemble:
    """Networks of one kind in place of one, see `matlens.nets.OBJECT_NETS`."""

    def __init__(self, nets: list):
        self.nets, self.stride, self.radius = nets, nets[0].stride, nets[0].radius

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps of all networks, one after the other."""
        return [part for net in self.nets for part in net.maps(pixels)]

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return the fused objects from a mean score of `floor`, in the form of one network."""
        each = len(maps) // len(self.nets)
        found = [
            net.find(maps[at * each : (at + 1) * each], size, min(floor, LEAST), overlap)
            for at, net in enumerate(self.nets)
        ]
        made = fused(found)
        sure = torch.nonzero(made["score"] >= floor)[:, 0]
        kept = sure[ops.nms(made["box"][sure], made["score"][sure], overlap)]
        return {name: part[kept] for name, part in made.items()}


def fused(found: list[dict]) -> dict[str, torch.Tensor]:
    """Fuse the objects of several networks, each a dictionary of box, score, and perhaps mask and kind.

    The surest box takes of every other network the one that it overlaps with most, if by more than a half; so on with
    the boxes that are left. Box, mask and kind are means weighted by score; the score is the mean over all networks,
    one that sees nothing there counting 0.
    """
    whole = {name: torch.cat([part[name] for part in found]) for name in found[0]}
    counts = torch.tensor([len(part["score"]) for part in found])
    own = torch.repeat_interleave(torch.arange(len(found)), counts).tolist()
    order = torch.argsort(whole["score"], descending=True, stable=True).tolist()
    free, groups, touching = np.ones(len(order), bool), [], _touching(whole["box"])
    for first in order:
        if not free[first]:
            continue
        near: dict[int, tuple] = {own[first]: (np.inf, first)}
        for at, share in touching(first):
            if free[at] and own[at] != own[first] and (own[at] not in near or share > near[own[at]][0]):
                near[own[at]] = (share, at)
        groups.append([at for _, at in near.values()])
        free[groups[-1]] = False
    return _means(whole, groups, len(found))


def _touching(boxes: torch.Tensor) -> Callable:
    """Return the function from a box to the boxes that it overlaps with by more than a half: (index, overlap) of each.

    Only such pairs are looked at: there are thousands of boxes at the lowest score, and few of them overlap.
    """
    pairs = ops.clashes(boxes, SHARED) if len(boxes) else torch.zeros(0, 2, dtype=torch.long)
    share = ops.iou_of_pairs(boxes[pairs[:, 0]], boxes[pairs[:, 1]]).cpu().numpy()
    both = np.concatenate([pairs.cpu().numpy(), pairs.cpu().numpy()[:, ::-1]])
    order = np.lexsort((both[:, 1], both[:, 0]))
    near, values = both[order, 1].tolist(), np.concatenate([share, share])[order].tolist()
    ends = np.searchsorted(both[order, 0], np.arange(len(boxes) + 1)).tolist()

    def of(first: int):
        return zip(near[ends[first] : ends[first + 1]], values[ends[first] : ends[first + 1]], strict=True)

    return of


def _means(whole: dict, groups: list[list[int]], count: int) -> dict[str, torch.Tensor]:
    """Average the objects of every group, weighted by score; the sum of their scores is divided by `count`."""
    score = whole["score"]
    rows = torch.tensor([at for group in groups for at in group], dtype=torch.long, device=score.device)
    of = torch.repeat_interleave(torch.arange(len(groups)), torch.tensor([len(g) for g in groups], dtype=torch.long))
    of = of.to(score.device)
    total = score.new_zeros(len(groups)).index_add(0, of, score[rows])
    made = {"score": total / count}
    for name, part in whole.items():
        if name != "score":
            weight = (score[rows] / total[of]).reshape(-1, *[1] * (part.ndim - 1))
            made[name] = part.new_zeros(len(groups), *part.shape[1:]).index_add(0, of, part[rows] * weight)
    return made
