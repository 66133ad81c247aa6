"""Sequences: the model grows by its rule, measures of growth are exact, the rule is learned."""

import numpy as np
import pytest
from matlens.generate import automaton, growth
from matlens.ingest.models import growth as model


def sequence(hand, seed=0, frames=10):
    return model.read({"item_seed": seed, "handedness": hand, "seed_radius_px": 5}, frames=frames).truth


def test_the_mirrored_rule_grows_the_mirrored_crystal():
    state = model.seed_of((40, 41), 6.0, np.random.default_rng(0))
    for _ in range(5):
        assert (model.step(state, 1)[:, ::-1] == model.step(state[:, ::-1], -1)).all()
        state = model.step(state, 1)
    assert growth.handedness(sequence(1) > 0) > 0.1 > -0.1 > growth.handedness(sequence(-1) > 0)


def test_facet_speeds_of_growing_squares_and_discs_are_known():
    grid = np.abs(np.indices((41, 41)) - 20)
    squares = np.stack([grid.max(0) <= r for r in (3, 5, 7)])
    angles = np.array([0.0, np.pi / 4, np.pi / 2])
    assert growth.speeds(squares, angles) == pytest.approx([2, 2 * np.sqrt(2), 2])
    assert growth.handedness(squares) == pytest.approx(0)
    found = growth.compared(squares[None], squares[None])
    assert found["final IoU"] == 1 and found["error of facet speeds"] == 0 and np.isnan(found["part of right hand"])
    slower = np.stack([grid.max(0) <= r for r in (3, 4, 5)])
    found = growth.compared(slower[None], squares[None])
    assert found["final IoU"] == pytest.approx((11 / 15) ** 2) and found["error of facet speeds"] == pytest.approx(0.5)


def test_the_wrong_hand_is_seen():
    right, wrong = (np.stack([sequence(hand, seed) for seed in range(3)]) > 0 for hand in (1, -1))
    assert growth.compared(right, right)["part of right hand"] == 1
    assert growth.compared(wrong, right)["part of right hand"] == 0


@pytest.mark.slow
def test_the_rule_is_learned_and_holds_for_larger_seeds():
    from matlens.generate import trained

    names = [(hand, seed) for hand in (-1, 1) for seed in range(6)]
    found = [(sequence(h, s), None, (float(h),), f"{h}{s}", f"{h}{s}") for h, s in names]
    found = [(a, np.zeros(a.shape, np.float32), *rest) for a, _, *rest in found]
    options = {"conditions": ["handedness"], "unseen": [], "size_px": None, "phase": 1, "periodic": False}
    chosen = {
        "training": trained.Training(epochs=8, learning_rate=1e-2, device="cpu"),
        "drawn": trained.Batches(batch=8),
    }
    roles = {part[-1]: "train" for part in found}
    arrays, card = automaton.learn(found, ["a", "b"], "automaton", roles, None, options, **chosen)
    held = trained.learned_from(found, roles, options)
    item = {"item_seed": 99, "handedness": 1, "seed_radius_px": 9}
    true = model.read(item, frames=10).truth
    held = held.where(np.flatnonzero(held.conditions[:, 0] == 1)[:1])
    held.labels[0] = true
    made = automaton.generate(np.array([1.0]), 1, trained.prepare(arrays, card), held)
    assert growth.compared(made == 1, true[None] == 1)["final IoU"] > 0.95
