"""Regressors for tables, each with the scaling that it needs."""

import numpy as np

ERRORS = {"mse": "squared_error", "l1": "absolute_error", "huber": "huber"}  # as scikit-learn calls them


def unit(y: np.ndarray) -> float:
    """Return the power of two nearest to the standard deviation of targets (n,), 1 if they are all alike.

    The trees of scikit-learn do not divide items with a variance below 2e-16. That of targets in SI units, such as
    1e-12 m2, is below it; divided by this unit, which is exact, it is not.
    """
    spread = float(np.std(y))
    return 2.0 ** round(np.log2(spread)) if spread > 0 and np.isfinite(spread) else 1.0


def _in_own_unit(model):
    """Put a model of trees behind targets in their own unit."""
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.compose import TransformedTargetRegressor

    class Unit(TransformerMixin, BaseEstimator):
        def fit(self, y, _=None):
            self.unit_ = unit(y)
            return self

        def transform(self, y):
            return y / self.unit_

        def inverse_transform(self, y):
            return y * self.unit_

    return TransformedTargetRegressor(model, transformer=Unit())


def _scaled(model):
    """Put a model behind standardised features; the scaling is learned from training items alone."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def ridge(*, alpha: float = 1.0):
    """Make a linear least-squares regressor with an L2 penalty `alpha` on standardised features.

    Source: A. E. Hoerl, R. W. Kennard, Technometrics 12 (1970) 55.
    """
    from sklearn.linear_model import Ridge

    return _scaled(Ridge(alpha=alpha))


def kernel_ridge(*, alpha: float = 0.1, gamma: float | None = None):
    """Make a ridge regressor with a Gaussian kernel; `gamma` None is one over the number of features.

    The target is centred before the fit, since kernel ridge has no intercept.
    Source: C. Saunders, A. Gammerman, V. Vovk, ICML (1998) 515.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.preprocessing import StandardScaler

    model = _scaled(KernelRidge(kernel="rbf", alpha=alpha, gamma=gamma))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def svr(*, c: float = 10.0, epsilon: float = 0.05, gamma: float | None = None):
    """Make a support vector regressor with a Gaussian kernel; `epsilon` is in standard deviations of the target.

    `gamma` None is one over the number of features.
    Source: A. J. Smola, B. Schoelkopf, Stat. Comput. 14 (2004) 199.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return TransformedTargetRegressor(
        _scaled(SVR(C=c, epsilon=epsilon, gamma="scale" if gamma is None else gamma)), transformer=StandardScaler()
    )


def random_forest(*, trees: int = 200, min_leaf: int = 1, seed: int = 0):
    """Make a random forest of `trees` regression trees. Source: L. Breiman, Mach. Learn. 45 (2001) 5."""
    from sklearn.ensemble import RandomForestRegressor

    return _in_own_unit(
        RandomForestRegressor(n_estimators=trees, min_samples_leaf=min_leaf, random_state=seed, n_jobs=1)
    )


def extra_trees(*, trees: int = 200, min_leaf: int = 1, features: float = 0.5, seed: int = 0):
    """Make a forest whose splits are drawn at random; `features`: fraction of them considered at each split.

    Source: P. Geurts, D. Ernst, L. Wehenkel, Mach. Learn. 63 (2006) 3.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    return _in_own_unit(
        ExtraTreesRegressor(
            n_estimators=trees, min_samples_leaf=min_leaf, max_features=features, random_state=seed, n_jobs=1
        )
    )


def gradient_boosting(
    *, trees: int = 200, learning_rate: float = 0.1, depth: int = 3, features: float = 1.0, sample: float = 1.0,
    loss: str = "mse", seed: int = 0,
):  # fmt: skip
    """Make gradient-boosted regression trees.

    features: fraction of them considered at each split. sample: fraction of the items that each tree learns from.
    loss: "mse", "l1", or "huber", whose slope is constant for the largest tenth of the residuals.
    Source: J. H. Friedman, Ann. Stat. 29 (2001) 1189; samples: Comput. Stat. Data Anal. 38 (2002) 367.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    return _in_own_unit(
        GradientBoostingRegressor(
            n_estimators=trees, learning_rate=learning_rate, max_depth=depth, max_features=features, subsample=sample,
            loss=ERRORS[loss], random_state=seed,
        )
    )  # fmt: skip


def mean():
    """Make the trivial control: the mean of the training targets."""
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


def median():
    """Make the trivial control of the mean absolute error: the median of the training targets."""
    from sklearn.dummy import DummyRegressor

    return DummyRegressor(strategy="median")
