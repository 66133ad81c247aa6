"""The state of a training after an epoch, in one safetensors file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from matlens.learn.devices import arrays_of, is_main, load_arrays

FORMAT = 2  # of the names in the file


class Checkpoint:
    """The state after an epoch, in one safetensors file whose note holds the scalars; `None` keeps nothing."""

    def __init__(self, path, identity: Mapping):
        self.path = Path(path) if path else None
        self.identity = dict(identity)

    def load(self, model: nn.Module, mean: nn.Module | None, descents: Mapping) -> tuple[list[dict], dict | None]:
        """Restore the checkpoint of a run with the same identity; returns history and best weights."""
        from matlens.store import io

        if self.path is None or not self.path.exists():
            return [], None
        try:
            arrays, note = io.read_weights(self.path), io.read_weights_note(self.path)
        except ValueError as error:
            print(f"{error}; starting afresh")
            return [], None
        if note.get("identity") != self.identity or note.get("format") != FORMAT:
            print(f"{self.path.name} is of a run with other settings or data; starting afresh")
            return [], None
        parts = {"model": {}, "mean": {}, "best": {}, "moments": {}}
        for name, value in arrays.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = value
        load_arrays(model, parts["model"])
        if mean is not None:
            load_arrays(mean, parts["mean"])
        for name, descent in descents.items():
            _restore(descent, name, parts["moments"], note["scale"].get(name))
        return note["history"], parts["best"] or None

    def save(
        self, model: nn.Module, mean: nn.Module | None, descents: Mapping, history: list[dict], best: dict | None
    ) -> None:
        """Write the state; the file is whole or the old one."""
        from matlens.store import io

        if self.path is None or not is_main():
            return
        arrays = {f"model/{k}": v for k, v in arrays_of(model).items()}
        arrays |= {f"mean/{k}": v for k, v in arrays_of(mean).items()} if mean is not None else {}
        arrays |= {f"best/{k}": v for k, v in (best or {}).items()}
        for name, descent in descents.items():
            for index, moments in descent.optimiser.state_dict()["state"].items():
                known = {k: torch.as_tensor(v) for k, v in moments.items() if v is not None}
                arrays |= {f"moments/{name}/{index}/{k}": v.detach().cpu().numpy() for k, v in known.items()}
        scale = {name: descent.scaler.state_dict() for name, descent in descents.items() if descent.scaler}
        note = {"identity": self.identity, "history": history, "scale": scale, "format": FORMAT}
        io.write_weights(self.path, arrays, note)


def _restore(descent, name: str, moments: Mapping[str, np.ndarray], scale: Mapping | None) -> None:
    """Restore the moments of an optimiser."""
    state = descent.optimiser.state_dict()
    for place, value in moments.items():
        owner, index, moment = place.split("/")
        if owner == name:
            state["state"].setdefault(int(index), {})[moment] = torch.from_numpy(np.array(value))
    descent.optimiser.load_state_dict(state)
    if descent.scaler is not None and scale:
        descent.scaler.load_state_dict(scale)
