"""Members of an ensemble in one file of weights, where a number before each name tells them apart, and their files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np


def joined(parts: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Put the weights of all members into one mapping: "0/name", "1/name", ..."""
    return {f"{number}/{name}": value for number, part in enumerate(parts) for name, value in part.items()}


def part(arrays: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """Return the weights of one member by their own names."""
    start = f"{number}/"
    return {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}


def checkpoint_of(checkpoint: str | Path, number: int) -> Path:
    """Name the checkpoint of one member, beside that of the whole training."""
    return Path(checkpoint).with_suffix(f".{number}.safetensors")
