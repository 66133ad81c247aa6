"""The training loop: known learning rates, the same answer after a kill, and a plain word when it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from matlens.learn import loop
from matlens.store import io
from torch import nn

RUN = """
import hashlib, json, sys, time
import numpy as np, torch
from torch import nn
from matlens.learn import loop as learn

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(4, 2, 1))

def batches(epoch, rng):
    for _ in range(4):
        time.sleep(float(sys.argv[2]))
        yield torch.from_numpy(rng.standard_normal((2, 1, 8, 8), dtype=np.float32))

def loss(model, batch):
    return nn.functional.cross_entropy(model(batch), (batch[:, 0] > 0).long())

def score(model):
    return {"score": -float(loss(model, torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8)))}

task = learn.Task(batches, loss, score, steps=4)
options = learn.Training(epochs=8, learning_rate=1e-3, accumulate=3)
history = learn.train(model, task, options, checkpoint=sys.argv[1] or None, identity={"a": 1})
digest = hashlib.sha256(b"".join(v.tobytes() for v in learn.arrays_of(model).values())).hexdigest()
print(json.dumps({"weights": digest, "history": history}))
"""


def command(*words):
    return [sys.executable, "-c", RUN, *map(str, words)]


ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(loop.__file__).parents[2])}


def result(text):
    return json.loads(text.strip().splitlines()[-1])


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    whole = subprocess.run(command("", 0), env=ENV, capture_output=True, text=True, check=True)
    checkpoint = tmp_path / "checkpoint.safetensors"
    victim = subprocess.Popen(command(checkpoint, 0.05), env=ENV, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if checkpoint.exists() and len(io.read_weights_note(checkpoint)["history"]) >= 3:
            break
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    done = len(io.read_weights_note(checkpoint)["history"])
    assert 3 <= done < 8
    rest = subprocess.run(command(checkpoint, 0), env=ENV, capture_output=True, text=True, check=True)
    assert "epoch 1 of 8" not in rest.stdout and f"epoch {done + 1} of 8" in rest.stdout
    assert result(rest.stdout) == result(whole.stdout)


def test_the_rate_is_that_of_torch():
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=57, cycle_momentum=False)
    for step in range(57):
        assert loop.one_cycle(step, 57, 0.01) == pytest.approx(schedule.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        if step < 56:
            schedule.step()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_rate_of_very_short_runs_is_a_number(steps):
    assert all(0 < loop.one_cycle(step, steps, 0.1) <= 0.1 for step in range(steps))


def line(weight=0.0):
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, weight)
    nn.init.zeros_(model.bias)
    return model


def squares(model, batch):
    return (model(batch) - 3 * batch - 1).square().mean()


def train(model, batches, loss, score=None, *, steps, checkpoint=None, identity=None, **options):
    task = loop.Task(batches, loss, score, steps=steps)
    options = loop.Training(**{"learning_rate": 1e-3, **options})
    return loop.train(model, task, options, checkpoint=checkpoint, identity=identity)


def drawn(steps, size):
    def batches(epoch, rng):
        points = torch.from_numpy(rng.standard_normal((steps * size, 1), dtype=np.float32))
        yield from points.split(size)

    return batches


def test_it_finds_a_line():
    model = line()
    history = train(model, drawn(20, 16), squares, steps=20, epochs=20, learning_rate=0.3, weight_decay=0.0)
    assert model.weight.item() == pytest.approx(3, abs=1e-3)
    assert model.bias.item() == pytest.approx(1, abs=1e-3)
    assert [row["epoch"] for row in history] == list(range(1, 21))


def test_two_small_batches_make_the_update_of_a_large_one():
    large, small = line(), line()
    train(large, drawn(4, 8), squares, steps=4, epochs=2, clip_norm=0.0)
    train(small, drawn(8, 4), squares, steps=8, epochs=2, accumulate=2, clip_norm=0.0)
    assert small.weight.item() == pytest.approx(large.weight.item(), rel=1e-6)


def test_the_best_epoch_is_kept_and_patience_ends():
    model, said = line(), iter([0.1, 0.9, 0.3, 0.2, 0.8, 0.7])
    seen = []

    def score(judged):
        seen.append(judged.weight.item())
        return {"score": next(said)}

    history = train(model, drawn(2, 4), squares, score, steps=2, epochs=6, patience=3, learning_rate=0.1)
    assert len(history) == 5
    assert [row["epoch"] for row in history if row["best"]] == [2]
    assert model.weight.item() == seen[1]


def test_a_loss_that_is_no_number_stops_with_a_remedy():
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(line(float("nan")), drawn(2, 4), squares, steps=2, epochs=1)


def test_too_few_batches_are_an_error():
    with pytest.raises(ValueError, match="2 batches instead of 3"):
        train(line(), drawn(2, 4), squares, steps=3, epochs=1)


def test_a_checkpoint_of_another_run_is_not_resumed(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    train(line(), drawn(2, 4), squares, steps=2, epochs=2, checkpoint=path, identity={"data": "a"})
    fresh, again = line(), line()
    train(fresh, drawn(2, 4), squares, steps=2, epochs=3)
    history = train(again, drawn(2, 4), squares, steps=2, epochs=3, checkpoint=path, identity={"data": "b"})
    assert len(history) == 3
    assert again.weight.item() == fresh.weight.item()


def test_a_broken_checkpoint_is_left_aside(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"half a file")
    assert len(train(line(), drawn(2, 4), squares, steps=2, epochs=2, checkpoint=path)) == 2


def test_weights_of_another_network_are_refused_by_name():
    arrays = loop.arrays_of(nn.Linear(2, 1))
    with pytest.raises(ValueError, match="'weight' does not fit"):
        loop.load_arrays(nn.Linear(1, 1), arrays)
    assert loop.load_arrays(nn.Linear(1, 1), arrays, partly=True) == ["weight"]


def test_half_precision_weights_are_widened():
    model, stored = nn.Linear(3, 2), {}
    for name, value in loop.arrays_of(model).items():
        stored[name] = value.astype(np.float16)
    loop.load_arrays(model, stored)
    assert model.weight.dtype == torch.float32
    np.testing.assert_array_equal(model.weight.detach().numpy(), stored["weight"].astype(np.float32))


def test_a_pickle_is_no_file_of_weights(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="pickles are not read"):
        io.read_weights(tmp_path / "weights.safetensors")


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\n"
        "import torch\nfrom torch import nn\nimport numpy as np\nfrom matlens.learn import loop as learn\n"
        "model = nn.Linear(1, 1)\nnn.init.zeros_(model.weight)\nnn.init.zeros_(model.bias)\n"
        "def batches(epoch, rng):\n"
        "    yield from torch.from_numpy(rng.standard_normal((64, 1), dtype=np.float32)).split(8)\n"
        "loss = lambda model, batch: (model(batch) - 3 * batch - 1).square().mean()\n"
        "options = learn.Training(epochs=3, learning_rate=0.1, clip_norm=0.0, device='cpu')\n"
        "learn.train(model, learn.Task(batches, loss, steps=8), options)\n"
        "if learn.is_main():\n    print('weight', model.weight.item())\n"
    )
    folder = str(Path(loop.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29653", script, folder],
        env=ENV, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = float(done.stdout.split("weight ")[1].split()[0])
    one = line()

    def pairs(epoch, rng):
        yield from torch.from_numpy(rng.standard_normal((64, 1), dtype=np.float32)).split(16)

    train(one, pairs, squares, steps=4, epochs=3, learning_rate=0.1, clip_norm=0.0)
    assert found == pytest.approx(one.weight.item(), rel=1e-5)


def test_equal_weights_are_equal_files(tmp_path):
    arrays = loop.arrays_of(nn.BatchNorm1d(3))  # floats, and a count without axes
    for name in ("a", "b"):
        io.write_weights(tmp_path / name, dict(reversed(arrays.items())) if name == "b" else arrays, {"x": 1, "y": [2]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found = io.read_weights(tmp_path / "a")
    assert all(np.array_equal(found[name], arrays[name]) and found[name].shape == arrays[name].shape for name in arrays)
    assert io.read_weights_note(tmp_path / "a") == {"x": 1, "y": [2]}
