"""Read and write network weights as safetensors; read checkpoints of torch without unpickling."""

import json
from collections.abc import Mapping

import numpy as np

from matlens.store.files import atomic


def write_weights(path, arrays: Mapping[str, np.ndarray], note: Mapping | None = None) -> None:
    """Write named arrays as safetensors; `note` holds JSON values that travel in the same file."""
    from safetensors.numpy import save

    tidy = {name: np.array(value, order="C", copy=None) for name, value in arrays.items()}
    metadata = {"note": json.dumps(note, sort_keys=True)} if note else None
    with atomic(path) as temporary:
        temporary.write_bytes(save(tidy, metadata=metadata))  # save_file would let no one else read it


def read_weights(path) -> dict[str, np.ndarray]:
    """Read named arrays from safetensors. Raises ValueError if the file is of another format."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(str(path))
    except SafetensorError as error:
        raise ValueError(f"{path} holds no weights: {error}; save them as safetensors, pickles are not read") from error


def read_weights_note(path) -> dict:
    """Read the note of a file of weights; {} if absent."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as handle:
        return json.loads((handle.metadata() or {}).get("note", "{}"))


def read_checkpoint(path) -> dict:
    """Read a torch checkpoint of tensors, numbers, strings, lists and dicts, without running code of the file.

    Raises ValueError if the file contains other objects or is no checkpoint.
    """
    import torch

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged or hostile file can fail in any way
        why = str(error).split("Please file")[0].split("(1)")[0].strip().splitlines()[-1:]
        raise ValueError(
            f"{path} is no checkpoint of plain weights ({type(error).__name__}: {' '.join(why)[:200]}); nothing of it "
            "was run. Save its state_dict alone, where it comes from, or as safetensors"
        ) from None
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{path} holds a {type(checkpoint).__name__} and no dict of weights")
    return checkpoint
