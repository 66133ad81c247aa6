"""Convert checkpoints of the authors of CGCNN into weights and a model card."""

from collections.abc import Mapping

import numpy as np

from matlens.predict import crystal_networks

STEP_A, CUTOFF_A, HEAVIEST = 0.2, 8.0, 100
# The authors' graphs: missing neighbours are padded with edges to atom 0.
GRAPH = {"knn": {"k": 12, "cutoff_a": CUTOFF_A, "ties": False, "images": "all", "few": "pad"}}


def converted(checkpoint: Mapping, target: str) -> tuple[dict[str, np.ndarray], dict]:
    """Convert a checkpoint of the authors' code (state_dict, normalizer, args) into arrays and a model card.

    The card has no training elements or ranges, because the file has none, and no calibration of intervals. Raises
    ValueError if the file is of another network or of a classifier.
    """
    from matlens.learn import loop

    for key in ("state_dict", "normalizer", "args"):
        if not isinstance(checkpoint.get(key), Mapping):
            raise ValueError(f"the checkpoint has no '{key}': it is not from the authors' code of CGCNN")
    args, state = checkpoint["args"], checkpoint["state_dict"]
    if args.get("task", "regression") != "regression":
        raise ValueError(f"the checkpoint is for {args['task']}; only networks for regression can be used")
    names = {"width": "atom_fea_len", "convolutions": "n_conv", "hidden": "h_fea_len", "layers": "n_h"}
    missing = sorted(set(names.values()) - set(args))
    if missing:
        raise ValueError(f"the args of the checkpoint lack {', '.join(missing)}")
    options = {ours: int(args[theirs]) for ours, theirs in names.items()} | {"cutoff": CUTOFF_A, "step": STEP_A}
    arrays = {name: value.numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")}
    net = crystal_networks.build("cgcnn", options)
    counters = {k: v for k, v in loop.arrays_of(net).items() if k.endswith("num_batches_tracked")}
    loop.load_arrays(net, arrays | counters)
    mean, std = (float(checkpoint["normalizer"][name]) for name in ("mean", "std"))
    if not all(np.isfinite(value).all() for value in (*arrays.values(), mean, std)) or std <= 0:
        raise ValueError(
            "the checkpoint contains NaN or infinite values, or a standard deviation of the target that is not positive"
        )
    return {f"0/{name}": value for name, value in loop.arrays_of(net).items()}, {
        "method": "cgcnn",
        "network": options,
        "graph": GRAPH,
        "ensemble": 1,
        "mean": mean,
        "std": std,
        "target": target,
        "trained_on": args.get("train_size"),
        "validation_mae": float(checkpoint.get("best_mae_error", "nan")) if "best_mae_error" in checkpoint else None,
        "calibrated_on": 0,
        "elements": list(range(1, HEAVIEST + 1)),
        "volume_a3_per_atom": [0.0, 1e6],
        "nearest_a": [0.0, 1e6],
        "note": "the checkpoint does not record its training elements and volumes: no crystal is flagged as outside",
        "source": "T. Xie, J. C. Grossman, Phys. Rev. Lett. 120 (2018) 145301; github.com/txie-93/cgcnn",
        "license": "MIT",
    }
