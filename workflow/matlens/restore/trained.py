"""Models of learned restorations, and the options of every method."""

from collections.abc import Mapping

import numpy as np

from matlens import registry, restore
from matlens.learn import cards
from matlens.learn.roles import split


def model(method: str, arrays: Mapping[str, np.ndarray], card: Mapping, options: Mapping):
    """Build the model of a method from weights and their card. Raises ValueError if they are of another method."""
    bare = registry.method_of(method)
    if card.get("method", bare) != bare:
        raise ValueError(f"the weights are of method '{card['method']}', not '{method}'; apply them by that one")
    return registry.call(registry.load(restore.PREPARES, method), {"arrays": arrays, "card": card}, options)


def functions(method: str) -> list:
    """List the callables whose keyword-only arguments are the options of a method: its functions and its network."""
    found = [registry.load(table, method) for table in (restore.METHODS, restore.LEARNERS) if method in table]
    if method in restore.LEARNERS:
        found += [split, cards.lent, cards.initial]
        found += [registry.load(restore.NETWORKS, method)] if registry.method_of(method) in restore.NETWORKS else []
    return found
