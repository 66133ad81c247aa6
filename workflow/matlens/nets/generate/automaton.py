"""Local rule of growth: the next state of a pixel out of the states around it."""

import torch
from torch import nn


class Automaton(nn.Module):
    """Cellular automaton: one convolution that sees `reach` pixels to each side, then layers of single pixels.

    It takes states (n, channels, y, x) in [-1, 1] and conditions (n, conditions), and returns logits of the next states
    (n, channels, y, x). Beyond the border is the first phase. A. Mordvintsev et al., Distill 5 (2020) e23.
    """

    def __init__(self, *, channels: int, conditions: int, width: int = 32, reach: int = 2):
        super().__init__()
        self.reach = reach
        self.see = nn.Conv2d(channels, width, 2 * reach + 1)
        self.heed = nn.Linear(max(conditions, 1), width)
        self.mix = nn.Conv2d(width, width, 1)
        self.tell = nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        state = conditions if conditions.shape[1] else conditions.new_zeros(len(x), 1)
        around = x.new_full((x.shape[1],), -1.0)
        around[0] = -1.0 if x.shape[1] == 1 else 1.0  # all channels of -1 but that of the first phase
        sides = (self.reach,) * 4
        wide = nn.functional.pad(x - around[:, None, None], sides) + around[:, None, None]
        seen = self.see(wide)
        # The condition changes what is seen by a product, so that a rule may be mirrored by it.
        gate = 1 + self.heed(state)[:, :, None, None]
        return self.tell(torch.relu(self.mix(torch.relu(seen * gate))))
