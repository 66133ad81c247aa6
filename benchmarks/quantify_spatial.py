"""Time the spatial statistics in CPU-seconds, beside porespy where it can be imported.

Run: PYTHONPATH=workflow OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/quantify_spatial.py
"""

import numpy as np
from _timing import warm
from matlens.image import chords, cluster, lineal_path, percolation, tortuosity, two_point
from matlens.quantify import surface, tpb
from scipy import ndimage

PHASES = ["void", "solid", "third"]


def blobs(shape, fraction=0.5, size=6.0, seed=0):
    """Threshold Gaussian noise: a two-phase image with features of a known size."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), size, mode="wrap")
    return (noise < np.quantile(noise, fraction)).astype(np.uint8)


def report(name, seconds, peer=None):
    """Print one line."""
    beside = "" if peer is None else f"   porespy {peer:8.3f} s   {peer / seconds:6.1f} x"
    print(f"{name:<52} {seconds:8.3f} s{beside}", flush=True)


def main():
    """Print CPU-seconds for every measure, and for porespy's where there is one."""
    try:
        import porespy
    except ImportError:
        porespy = None
        print("porespy is not installed: ours only")
    image, volume = blobs((2048, 2048)), blobs((128,) * 3, size=3.0)
    three = volume + blobs((128,) * 3, size=3.0, seed=1)

    # every lag up to half of the image, non-periodic, in rings of one pixel: porespy pads and bins so, too
    ours, found = warm(lambda: two_point.measure(image, PHASES, max_lag_px=1023))
    peer = None
    if porespy:
        rings = np.arange(0.5, 1000)
        peer, other = warm(lambda: porespy.metrics.two_point_correlation(image.astype(bool), bins=rings), 1)
        radial = found.loc[found["direction"] == "radial", "two_point_probability"].to_numpy()
        gap = np.abs(np.asarray(other.probability_scaled) - radial[1 : len(rings)])
        print(f"largest difference of the two radial curves: {gap.max():.5f}")
    report("two_point 2048^2, lags to 1023, axes and radial", ours, peer)
    report("two_point 2048^2, lags to 100, axes and radial", warm(lambda: two_point.measure(image, PHASES))[0])
    report("two_point 2048^2, axes alone", warm(lambda: two_point.measure(image, PHASES, radial=False))[0])
    report("two_point 128^3, lags to 64", warm(lambda: two_point.measure(volume, PHASES, max_lag_px=64))[0])
    peer = None
    if porespy:
        peer = warm(lambda: porespy.metrics.lineal_path_distribution(porespy.filters.apply_chords(image == 1)))[0]
    report("lineal_path 2048^2, both axes (porespy: one)", warm(lambda: lineal_path.measure(image, PHASES))[0], peer)
    report("cluster 2048^2, lags to 100", warm(lambda: cluster.measure(image, PHASES))[0])
    report("chords 2048^2", warm(lambda: chords.measure(image, PHASES))[0])
    report("surface 2048^2", warm(lambda: surface.measure(image, PHASES))[0])
    report("surface 128^3", warm(lambda: surface.measure(volume, PHASES))[0])
    report("tpb 128^3", warm(lambda: tpb.measure(three))[0])
    report("percolation 128^3", warm(lambda: percolation.measure(volume, PHASES))[0])
    report("tortuosity 128^3, three axes", warm(lambda: tortuosity.measure(volume, PHASES), 1)[0])
    report("tortuosity 2048^2, two axes", warm(lambda: tortuosity.measure(image, PHASES), 1)[0])


if __name__ == "__main__":
    main()
