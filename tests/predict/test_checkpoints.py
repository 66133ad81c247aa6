"""Checkpoints of CGCNN's authors become weights and a card; files that would run something do not run it."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matlens import connect, registry
from matlens.crystal import graphs, structures
from matlens.nets.crystal.cgcnn import CGCNN
from matlens.predict import checkpoints, crystal_networks
from matlens.store import io

DOOR = Path(__file__).parents[2] / "workflow/matlens/cli/convert_cgcnn.py"
ARGS = {"task": "regression", "atom_fea_len": 16, "n_conv": 2, "h_fea_len": 8, "n_h": 2, "train_size": 9}


def saved(path, **changes):
    torch.manual_seed(0)
    net = CGCNN(width=16, convolutions=2, hidden=8, layers=2)
    state = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}  # as torch 0.3 had it
    made = {"state_dict": state, "normalizer": {"mean": torch.tensor(2.0), "std": 0.5}, "args": ARGS, "epoch": 3}
    torch.save(made | changes, path)
    return net


def rock_salt():
    cell = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 5.64
    one = structures.Crystal(cell, np.array([11, 17], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    edges = registry.load(connect.METHODS, "knn")(one.cell, one.frac, few="pad")
    packed = structures.pack([0], ["NaCl"], [one])
    return graphs.from_arrays(structures.to_arrays(packed) | connect.stack([edges], "knn"))


def convert(path, folder):
    command = [
        sys.executable,
        str(DOOR),
        "--checkpoint",
        str(path),
        "--target",
        "y",
        "--weights",
        str(folder / "w.safetensors"),
    ]
    environment = os.environ | {"PYTHONPATH": str(DOOR.parents[2]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_converted_checkpoint_predicts_what_its_network_does(tmp_path):
    net = saved(tmp_path / "c.pth.tar")
    done = convert(tmp_path / "c.pth.tar", tmp_path)
    assert done.returncode == 0, done.stderr
    arrays, card = io.read_weights(tmp_path / "w.safetensors"), io.read_json(tmp_path / "w.json")
    found = crystal_networks.apply(rock_salt(), arrays, card, "cpu")
    with torch.no_grad():
        expected = net.eval()(graphs.batch(rock_salt(), [0])) * 0.5 + 2.0
    np.testing.assert_allclose(found["predicted"], expected, rtol=1e-6)
    assert card["graph"] == {"knn": {"k": 12, "cutoff_a": 8.0, "ties": False, "images": "all", "few": "pad"}}
    assert list(found["unseen_elements"]) == [""]


class Hostile:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_file_that_would_run_something_does_not_run_it(tmp_path, writer):
    trap, path = tmp_path / "it_ran", tmp_path / "c.pth.tar"
    value = {"state_dict": Hostile(trap), "normalizer": {}, "args": {}}
    if writer == "torch":
        torch.save(value, path)
    else:
        path.write_bytes(pickle.dumps(value))
    done = convert(path, tmp_path)
    assert done.returncode != 0
    assert "nothing of it was run" in done.stderr
    assert "Traceback" not in done.stderr
    assert not trap.exists()
    assert not (tmp_path / "w.safetensors").exists()
    if writer == "pickle":  # the trap itself works
        pickle.loads(path.read_bytes())
        assert trap.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"args": ARGS | {"task": "classification"}}, "for classification"),
        ({"args": {"task": "regression"}}, "lack atom_fea_len"),
        ({"args": ARGS | {"n_conv": 3}}, "of another network"),
        ({"normalizer": None}, "no 'normalizer'"),
        ({"normalizer": {"mean": float("nan"), "std": 1.0}}, "NaN or infinite values"),
        ({"normalizer": {"mean": 0.0, "std": 0.0}}, "not positive"),
    ],
)
def test_other_checkpoints_are_refused_with_the_reason(tmp_path, changes, said):
    saved(tmp_path / "c.pth.tar", **changes)
    with pytest.raises(ValueError, match=said):
        checkpoints.converted(io.read_checkpoint(tmp_path / "c.pth.tar"), "y")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut off"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "c.pth.tar").write_bytes(content)
    with pytest.raises(ValueError, match="no checkpoint of plain weights"):
        io.read_checkpoint(tmp_path / "c.pth.tar")


@pytest.mark.parametrize("name", ["bulk-moduli", "formation-energy-per-atom"])
def test_the_checkpoints_of_the_authors_convert(data, name):
    arrays, card = checkpoints.converted(io.read_checkpoint(data(f"crystals/cgcnn_assets/{name}.pth.tar")), name)
    assert sum(v.size for k, v in arrays.items() if "running" not in k and "tracked" not in k) == 96_641
    assert card["network"]["convolutions"] == 4
    assert np.isfinite(crystal_networks.apply(rock_salt(), arrays, card, "cpu")["predicted"]).all()
