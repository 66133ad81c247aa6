"""Area fractions of the phases."""

import numpy as np


def measure(labels: np.ndarray, phases: list[str]):
    """Measure area fraction of every phase."""
    import pandas as pd

    counts = np.bincount(labels.ravel(), minlength=len(phases))
    return pd.DataFrame({"phase": np.arange(len(counts)), "area_fraction": counts / labels.size})
