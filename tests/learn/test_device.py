"""Devices of a network: those that the scheduler granted and the study allows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from matlens.learn import devices, loop


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_study_that_insists_on_a_gpu_stops_and_says_what_would_help(monkeypatch):
    with pytest.raises(RuntimeError, match=r"none is visible \(CUDA_VISIBLE_DEVICES is not set.*device: auto"):
        loop.choose_device("cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(RuntimeError, match="CUDA_VISIBLE_DEVICES is '3'"):
        loop.choose_device("cuda:0")


def test_auto_goes_on_with_the_cpu_and_says_so_where_a_gpu_was_granted(monkeypatch, capsys):
    assert loop.choose_device("auto") == torch.device("cpu")
    assert loop.choose_device("cpu") == torch.device("cpu")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert loop.choose_device("auto") == torch.device("cpu")
    assert "a GPU was granted and none is visible" in capsys.readouterr().err


def test_a_granted_gpu_is_the_first_that_is_seen_and_each_process_of_torchrun_has_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    assert loop.choose_device("auto") == torch.device("cuda:0")
    assert loop.choose_device("cuda") == torch.device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert loop.choose_device() == torch.device("cuda:2")
    assert loop.choose_device("cpu") == torch.device("cpu")


def test_several_gpus_without_torchrun_leave_a_batch_of_graphs_whole(monkeypatch, capsys):
    """Two GPUs are seen and the process is alone: the network is not wrapped in what cuts every tensor of a batch."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model = torch.nn.Linear(2, 1)
    assert devices.spread(model, torch.device("cuda:0")) is model
    assert "2 GPUs are visible and one is used" in capsys.readouterr().out
    assert devices.spread(model, torch.device("cpu")) is model


TWO = """
import os, sys
import numpy as np, torch
from matlens.learn import devices, loop as learn

class Graphs(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
    def forward(self, batch):
        sums = torch.zeros(batch["crystals"], 3).index_add(0, batch["crystal"], batch["atoms"])
        return self.layer(sums)

torch.manual_seed(0)
model = Graphs()
def batches(epoch, rng):
    for number in range(4):
        crystal = torch.from_numpy(np.sort(rng.integers(0, 3, 5 + number)))
        atoms = torch.from_numpy(rng.normal(size=(5 + number, 3)).astype("f"))
        yield {"atoms": atoms, "crystal": crystal, "crystals": 3}
task = learn.Task(batches, lambda net, batch: net(batch).square().mean(), steps=4)
history = learn.train(model, task, learn.Training(epochs=2, device="cpu"))
print(sum(float(value.sum()) for value in model.state_dict().values()), len(history))
"""


def test_two_processes_of_torchrun_take_graphs_of_different_sizes_and_end_with_the_same_weights(tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(loop.__file__).parents[2])}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--redirects=3"]
    done = subprocess.run([*command, f"--log-dir={tmp_path}/logs", str(tmp_path / "two.py")], env=env, timeout=300)
    assert done.returncode == 0
    told = [path.read_text().splitlines()[-1] for path in sorted(tmp_path.rglob("stdout.log"))]
    assert len(told) == 2
    assert told[0] == told[1]
