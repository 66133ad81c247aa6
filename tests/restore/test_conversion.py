"""Reactions that change volumes: the ratio holds on whole pixels, and phases that take no part stay to the pixel."""

import numpy as np
import pytest
import torch
from matlens import registry, restore
from matlens.ingest.models import anode
from matlens.plan import restoration_checks
from matlens.restore import conversion, trained, translation

AREA = {"from": [140, 255], "to": [200, 1000], "rest": [0, 70], "ratio": 0.588}
IMAGING = {"blur_px": 0, "dose": 0, "noise": 0.02, "texture": 0, "shading": 0}


@pytest.fixture(scope="module")
def anodes():
    """Two flat sections of oxide, one of nickel: pores about 26, zirconia 115, oxide 166, nickel 230."""
    rows = anode.plan(oxide=2, reduced=1, train_images=2).to_dict("records")
    return [anode.read(row, size_px=(48, 48), imaging=IMAGING) for row in rows]


def found(anodes):
    source, target = ([one.pixels.astype(np.float32) for one in part] for part in (anodes[:2], anodes[2:]))
    return source, target, conversion.learned([AREA], source, target)[0]


def phases(image):
    return np.digitize(image, [70, 140])


def test_a_conversion_keeps_the_ratio_and_every_other_phase_and_the_grain(anodes):
    source, _, one = found(anodes)
    assert one.shifts == pytest.approx([230 - 166, 26 - 166], abs=3)  # greys of the model
    image = source[0]
    made = conversion.converted(image, np.random.default_rng(0).random(image.shape), one)
    before, after = phases(image), phases(made)
    assert (after == 2).sum() == round(0.588 * (before == 2).sum())
    assert np.array_equal(after == 1, before == 1) and np.array_equal(made[before < 2], image[before < 2])
    assert (after[before == 2] != 1).all()  # what is lost is pore
    nickel = after == 2
    assert made[nickel].std() == pytest.approx(image[nickel].std(), rel=1e-3)


def test_scores_that_know_the_answer_find_it_and_the_way_back_undoes_it(anodes):
    source, _, one = found(anodes)
    truth = anodes[0].truth == 2
    made = conversion.converted(source[0], truth.astype(float), one)
    assert np.array_equal(phases(made) == 2, truth)
    x = torch.from_numpy(made)[None, None]
    lost = torch.from_numpy((phases(source[0]) == 2) & ~truth)[None, None].float()
    again = conversion.back(x, one.back * lost, one)
    assert np.allclose(again[0, 0].numpy(), source[0], atol=1e-3)


def test_the_conversion_of_a_batch_is_that_of_an_image_and_has_a_gradient(anodes):
    source, _, one = found(anodes)
    x = torch.from_numpy(source[0])[None, None]
    scores = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    made = conversion.there(x, scores, one)
    assert np.allclose(
        made.detach()[0, 0], conversion.converted(source[0], scores.detach()[0, 0].numpy(), one), atol=1e-3
    )
    made.sum().backward()
    own = torch.from_numpy(phases(source[0]) == 2)[None, None]
    assert (scores.grad[own] > 0).all() and (scores.grad[~own] == 0).all()
    empty = torch.zeros(1, 1, 8, 8)
    assert torch.equal(conversion.there(empty, empty, one), empty)


@pytest.mark.parametrize("method", ["translate", "unit"])
def test_a_learned_conversion_moves_no_zirconia_whatever_it_learned(anodes, method):
    options = {"source": ["oxide_*"], "target": ["reduced_*"], "areas": [AREA], "device": "cpu", "depth": 1, "fold": 1}
    options |= {"epochs": 1, "patches": 8, "patch_px": 16, "batch": 2, "width": 4, "critic_width": 4}
    names = ("oxide_0", "oxide_1", "reduced_0")
    samples = [(one.pixels.astype(np.float32), None, "train", name) for one, name in zip(anodes, names, strict=True)]
    offered = {"samples": samples, "method": method, "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, method), offered, options)
    image = samples[0][0]
    made = translation.restore(image, trained.model(method, arrays, card, options), "oxide_9", target=("reduced_*",))
    assert np.array_equal(phases(made) == 1, phases(image) == 1)
    assert (phases(made) == 2).sum() == round(0.588 * (phases(image) == 2).sum())


def test_what_no_pixel_of_the_target_is_and_what_cannot_be_met_is_refused(anodes):
    samples = [(one.pixels.astype(np.float32), None, "train", name)
               for one, name in zip(anodes, ("oxide_0", "oxide_1", "reduced_0"), strict=True)]  # fmt: skip
    options = {"target": ["reduced_*"], "areas": [AREA | {"rest": [-9, -5]}]}
    offered = {"samples": samples, "method": "translate", "initial": None, "checkpoint": None, "options": options}
    with pytest.raises(translation.BadItem, match=r"no pixel of the target is of greys -9 to -5"):
        registry.call(translation.learn, offered, options)
    for change, words in (({"ratio": 2.0}, "above 1"), ({"rest": [0, 210]}, "overlap")):
        study = {"restore": {"translate": {"source": ["*"], "target": ["r*"], "areas": [AREA | change]}}}
        reasons = [reason for _, reason in restoration_checks.check_domains({"s": study}, "s")]
        assert len(reasons) == 1 and words in reasons[0]
