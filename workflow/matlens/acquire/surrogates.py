"""Surrogate models: predict mean and standard deviation of every candidate from the verdicts.

A surrogate is `fit(x, y, seed, *, options)`, which returns `predict(x) -> mean (n,), std (n,)`; features and values are
standardised by the caller.
"""

import itertools

import numpy as np

MOST_TUNED = 400  # points for tuning the kernel of a Gaussian process; the cost grows with their cube


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
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound is a valid fit
        tuned = GaussianProcessRegressor(kernel, random_state=seed).fit(x[some], y[some]).kernel_
        model = GaussianProcessRegressor(tuned, optimizer=None).fit(x, y)
    noise = tuned.k2.noise_level

    def predict(new):
        parts = [model.predict(part, return_std=True) for part in np.array_split(new, max(1, len(new) // 2000))]
        mean, std = (np.concatenate(values) for values in zip(*parts, strict=True))
        return mean, np.sqrt(np.maximum(std**2 - noise, 1e-12))  # of the noise-free function

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


def network(x, y, seed: int, *, members: int = 5, hidden: int = 64, steps: int = 400):
    """Fit an ensemble of networks of two hidden layers, with different initialisation and bootstrap sample.

    The standard deviation is that of the `members`; each is trained by `steps` of AdamW on the full sample.
    Source: B. Lakshminarayanan, A. Pritzel, C. Blundell, NIPS (2017) 6402.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    x, y = (torch.as_tensor(np.asarray(part), dtype=torch.float32) for part in (x, y))
    sizes = [x.shape[1], hidden, hidden, 1]
    weights = [torch.randn((members, a, b), generator=draw) * (2.0 / a) ** 0.5 for a, b in itertools.pairwise(sizes)]
    biases = [torch.zeros((members, 1, b)) for b in sizes[1:]]
    times = torch.randint(len(x), (members, len(x)), generator=draw)  # how often each member sees each value
    share = torch.stack([torch.bincount(own, minlength=len(x)) for own in times]).float() / len(x)

    def answers(new):
        out = new.expand(members, *new.shape)
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            out = torch.baddbmm(bias, out, weight)
            out = torch.nn.functional.silu(out) if number < len(weights) - 1 else out
        return out[..., 0]  # (members, n)

    parameters = [one.requires_grad_() for one in (*weights, *biases)]
    rule = torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rule, steps)
    for _ in range(steps):
        rule.zero_grad()
        (share * (answers(x) - y) ** 2).sum().backward()
        rule.step()
        schedule.step()

    def predict(new):
        new = torch.as_tensor(np.asarray(new), dtype=torch.float32)
        with torch.no_grad():
            found = torch.cat([answers(part) for part in new.split(4000)], dim=1).double().numpy()
        return found.mean(axis=0), np.maximum(found.std(axis=0), 1e-9)

    return predict
