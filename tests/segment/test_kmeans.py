import numpy as np
import pytest
from matlens.segment import kmeans


def test_centres_are_those_of_scikit_learn():
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(m, 0.2, (300, 2)) for m in ((0, 0), (1, 2), (2.5, 0.5))])
    order = np.argsort(points[:, 0], kind="stable")
    start = np.stack([points[part].mean(0) for part in np.array_split(order, 3)])
    theirs = KMeans(3, init=start, n_init=1, tol=0, algorithm="lloyd").fit(points)
    assert np.allclose(kmeans.clusters(points, 3), theirs.cluster_centers_, atol=1e-9)


def test_two_levels_part_half_way_and_are_numbered_by_brightness():
    rng = np.random.default_rng(1)
    truth = rng.random((100, 100)) < 0.2
    image = rng.normal(np.where(truth, 0.8, 0.3), 0.05).astype(np.float32)
    found = kmeans.segment(image, ["a", "b"], sigmas_px=[0.0])
    assert np.array_equal(found, truth)
    assert np.array_equal(kmeans.segment(image, ["a", "b"], sigmas_px=[0.0], phase_of_class=[1, 0]), ~truth)


def test_texture_parts_what_brightness_cannot():
    rng = np.random.default_rng(2)
    truth = np.zeros((128, 128), bool)
    truth[:, 64:] = True
    image = (0.5 + rng.normal(0, 1, truth.shape) * np.where(truth, 0.15, 0.01)).astype(np.float32)
    rough = kmeans.segment(image, ["a", "b"], sigmas_px=[2.0], texture=5.0)
    agreement = np.mean(rough == truth)
    assert max(agreement, 1 - agreement) > 0.95
    plain = np.mean(kmeans.segment(image, ["a", "b"], sigmas_px=[2.0]) == truth)
    assert max(plain, 1 - plain) < 0.8


def test_a_sample_finds_what_all_pixels_do_and_the_seed_fixes_it():
    rng = np.random.default_rng(3)
    truth = rng.random((200, 200)) < 0.4
    image = rng.normal(np.where(truth, 0.7, 0.3), 0.05).astype(np.float32)
    some = [kmeans.segment(image, ["a", "b"], sigmas_px=[0.0], sample=500, seed=seed) for seed in (0, 0, 1)]
    assert np.array_equal(some[0], some[1])
    assert np.mean(some[0] != kmeans.segment(image, ["a", "b"], sigmas_px=[0.0])) < 1e-3
    with pytest.raises(ValueError, match="phase"):
        kmeans.segment(image, ["a", "b"], classes=3)
