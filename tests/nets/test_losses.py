"""Losses against numbers worked out by hand and by scipy."""

import math

import numpy as np
import pytest
import torch
from matlens.nets.pixel import losses


def test_cross_entropy_by_hand_and_255_has_no_say():
    logits = torch.log(torch.tensor([[[0.9, 0.2, 0.5]], [[0.1, 0.8, 0.5]]]))[None]  # (1, 2, 1, 3)
    truth = torch.tensor([[[0, 1, 255]]])
    expected = -(math.log(0.9) + math.log(0.8)) / 2
    assert losses.cross_entropy(logits, truth).item() == pytest.approx(expected, rel=1e-6)
    weighted = losses.cross_entropy(logits, truth, torch.tensor([1.0, 3.0])).item()
    assert weighted == pytest.approx(-(math.log(0.9) + 3 * math.log(0.8)) / 4, rel=1e-6)


def test_nothing_labelled_costs_nothing_and_has_slopes_of_zero():
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    truth = torch.full((1, 4, 4), 255)
    value = losses.cross_entropy(logits, truth) + losses.dice(logits, truth)
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_dice_of_a_half_right_answer():
    truth = torch.tensor([[[0, 0, 1, 1, 255]]])
    said = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 200.0 * torch.nn.functional.one_hot(said, 2).movedim(-1, 1).float()
    # phase 0: 2*1/(1+2); phase 1: 2*2/(3+2)
    assert losses.dice(logits, truth).item() == pytest.approx(1 - (2 / 3 + 4 / 5) / 2, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 40, 50), (1, 12, 14, 16)])
def test_pixel_weights_follow_the_chessboard_distance(shape):
    from scipy import ndimage

    rng = np.random.default_rng(0)
    truth = (ndimage.gaussian_filter(rng.standard_normal(shape[1:]), 3) > 0).astype(np.int64)
    inside, outside = (ndimage.distance_transform_cdt(part, "chessboard") for part in (truth, 1 - truth))
    distance = np.maximum(inside, outside)
    expected = 1 + 5 * np.exp(-(distance.astype(float) ** 2) / (2 * 2.0**2)) * (distance <= 6)
    found = losses.pixel_weights(torch.from_numpy(truth)[None], 2, 5.0, 2.0)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_unlabelled_pixels_make_no_boundary():
    truth = torch.zeros(1, 9, 9, dtype=torch.long)
    truth[0, 4:] = 255
    assert torch.equal(losses.pixel_weights(truth, 3, 5.0, 2.0), torch.ones(1, 9, 9))


def test_heads_share_the_loss():
    logits, truth = torch.randn(2, 3, 8, 8), torch.randint(0, 3, (2, 8, 8))
    settings = {"parts": losses.LOSSES["dice_cross_entropy"], "class_weights": None, "boundary": 0.0, "sigma_px": 3.0}
    one = losses.total(logits, truth, **settings)
    assert losses.total([logits] * 3, truth, **settings).item() == pytest.approx(one.item(), rel=1e-6)
