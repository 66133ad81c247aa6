"""A new network for pixels takes one file, one line of a table and one block of a schema."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from matlens.nets import NETS

ROOT = Path(__file__).resolve().parents[2]
NETWORK = '''"""Attention U-Net: a U-Net whose shortcuts are weighed by what lies below them."""

import torch
from torch import nn

from matlens.nets.pixel.blocks import CONV, upsample
from matlens.nets.pixel.unet import UNet


class Gate(nn.Module):
    """Weigh a shortcut: a = sigmoid(psi(relu(W x + V g))) (O. Oktay et al., MIDL 2018, eqs. 1 and 2)."""

    def __init__(self, dims: int, shortcut: int, below: int, width: int):
        super().__init__()
        self.own, self.below = CONV[dims](shortcut, width, 1), CONV[dims](below, width, 1, bias=False)
        self.psi = CONV[dims](width, 1, 1)

    def forward(self, x, below, padding):
        gate = upsample(self.below(below), 2, padding)
        return x * torch.sigmoid(self.psi(torch.relu(self.own(x) + gate)))


class AttentionUNet(UNet):
    """Attention U-Net; options as those of UNet, and `gate`, the width of the gates."""

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 2,
        width: int = 16,
        depth: int = 3,
        norm: str = "batch",
        encoder: str = "plain",
        padding: str = "zeros",
        gate: int = 8,
    ):
        super().__init__(
            dims=dims, channels=channels, outputs=outputs, width=width, depth=depth, norm=norm, encoder=encoder,
            padding=padding,
        )
        widths = self.encoder.widths
        self.gates = nn.ModuleList(Gate(dims, widths[i], widths[i + 1], gate) for i in range(depth))
        self.radius += sum(2 * 2**i for i in range(depth))

    def heads(self, x):
        *skips, x = self.encoder(x)
        for level in reversed(range(len(skips))):
            skip = self.gates[level](skips[level], x, self.padding)
            x = self.blocks[level](torch.cat([skip, self.ups[level](x)], 1))
        return [self.outs[0](x)]
'''
SCHEMA = """
  attention_unet:
    description: U-Net with gates on its shortcuts, learned from the items with a truth and applied by tiles
    type: object
    additionalProperties: false
    properties:
      <<: [*roles, *training, *pixel_network]
      gate: {description: width of the gates, type: integer, minimum: 1, default: 8}
  ground_truth:"""
CHECK = """
import numpy as np
from matlens import nets, registry, segment
from test_contract import PHASES, disks, phase_truth
from matlens.quantify import scores

QUICK = {"epochs": 8, "patches": 16, "patch_px": 48, "batch": 4, "width": 4, "depth": 2, "learning_rate": 0.02,
         "gate": 4, "device": "cpu"}
samples = [(image, phase_truth(regions), "train", str(seed)) for seed in range(2) for image, regions in [disks(seed)]]
image, regions = disks(5)
trivial = scores.measure(np.zeros(image.shape, np.uint8), phase_truth(regions), PHASES)["iou"].iloc[-1]
for name in nets.NETS:
    offered = {"samples": samples, "phases": PHASES, "method": name, "initial": None, "checkpoint": None}
    made = registry.call(registry.load(segment.LEARNERS, name), {**offered, "options": QUICK}, QUICK)
    assert made[1]["network"].get("gate") == (4 if name == "attention_unet" else None)
    model = registry.load(segment.PREPARES, name)(*made)
    found = registry.call(registry.load(segment.METHODS, name), {"image": image, "model": model}, {})
    reached = scores.measure(found, phase_truth(regions), PHASES)["iou"].iloc[-1]
    assert reached > trivial + 0.2, (name, reached, trivial)
    soft = registry.call(registry.load(segment.PROBABILITIES, name), {"image": image, "model": model}, {})
    assert soft.shape == (*image.shape, 3)
    print("works", name)
"""


def test_attention_unet_takes_one_file_one_line_and_one_block(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("workflow/matlens", "workflow/schemas", "tests/workflow", "tests/segment"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "workflow/matlens/nets/pixel/attention_unet.py").write_text(NETWORK)
    table = tmp_path / "workflow/matlens/nets/__init__.py"
    line = '    "attention_unet": "matlens.nets.pixel.attention_unet:AttentionUNet",\n'
    table.write_text(table.read_text().replace("NETS = {\n", "NETS = {\n" + line, 1))
    schema = tmp_path / "workflow/schemas/segment.schema.yaml"
    schema.write_text(schema.read_text().replace("\n  ground_truth:", SCHEMA, 1))
    (tmp_path / "check.py").write_text(CHECK)
    paths = os.pathsep.join(str(tmp_path / name) for name in ("workflow", "tests/segment"))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    words = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/workflow/test_schema_defaults.py",
        "-k",
        "segment or unet",
    ]
    for command in (["check.py"], words):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert command is words or done.stdout.count("works") == len(NETS) + 1
