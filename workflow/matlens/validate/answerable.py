"""Criteria of alloys that a response of another CALPHAD program can answer."""

from collections.abc import Iterable, Mapping

from matlens.thermo import quantities

JUDGED = ("fraction", "tcp_fraction")  # quantities that follow from one equilibrium of a response


def unjudged(criteria: Iterable[Mapping], temperatures: Iterable[float]) -> str:
    """Return a message on a criterion with limits that no response can answer, else ""."""
    for wish in criteria:
        if wish.get("min") is None and wish.get("max") is None:
            continue
        if wish["quantity"] not in JUDGED:
            return (
                f"'{quantities.key(wish)}' cannot be judged from a response, which has phase fractions alone; ask for "
                f"{' or '.join(JUDGED)}, or use validate.calphad"
            )
        if not any(abs(float(one) - wish["temperature_k"]) < 1e-3 for one in temperatures):
            return f"'{quantities.key(wish)}' is at a temperature that is not computed; add it to temperatures_k"
    return ""
