"""Surrogates: from verdicts to an expected value and its standard deviation everywhere.

A surrogate is `fit(x, y, seed, *, options)`, which returns `predict(x) -> mean (n,), std (n,)`; features and values are
standardised by the caller.
"""

import numpy as np

MOST_TUNED = 400  # points on which the kernel of a Gaussian process is tuned: its cost grows with their cube


def gaussian_process(x, y, seed: int):
    """Fit a Gaussian process with a Matern 5/2 kernel and noise; its length scale is tuned by marginal likelihood.

    Source: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (2006), algorithm 2.1.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    start = float(np.sqrt(x.shape[1]))
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(start, (1e-2 * start, 1e2 * start), nu=2.5)
    kernel += WhiteKernel(1e-2, (1e-8, 1.0))
    some = np.random.default_rng(seed).permutation(len(x))[:MOST_TUNED]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound that is reached is a fit all the same
        tuned = GaussianProcessRegressor(kernel, random_state=seed).fit(x[some], y[some]).kernel_
        model = GaussianProcessRegressor(tuned, optimizer=None).fit(x, y)
    noise = tuned.k2.noise_level

    def predict(new):
        parts = [model.predict(part, return_std=True) for part in np.array_split(new, max(1, len(new) // 2000))]
        mean, std = (np.concatenate(values) for values in zip(*parts, strict=True))
        return mean, np.sqrt(np.maximum(std**2 - noise, 1e-12))  # of the function, not of a noisy verdict

    return predict


def forest(x, y, seed: int):
    """Fit a random forest; the standard deviation is that of its trees.

    Source: F. Hutter, H. H. Hoos, K. Leyton-Brown, LION 5 (2011) 507, section 4.1.
    """
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(100, max_features=1 / 3, random_state=seed, n_jobs=1).fit(x, y)

    def predict(new):
        answers = np.stack([tree.predict(new) for tree in model.estimators_])
        return answers.mean(axis=0), np.maximum(answers.std(axis=0), 1e-9)

    return predict
