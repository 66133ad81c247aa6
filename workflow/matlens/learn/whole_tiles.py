"""Products and functions of matrices whose rows do not depend, to the last bit, on how many rows there are.

Libraries compute the last elements of an array, which fill no tile or vector, in another order or by another function.
Then the prediction of a crystal would depend in its last digits on the others of its batch, and so on the shards.
"""

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ROWS = 64  # multiple of the tiles of all kernels, and of the elements of a vector
PRODUCTS = {functional.linear, torch.matmul, torch.mm, torch.Tensor.matmul, torch.Tensor.mm, torch.Tensor.__matmul__}
SUMS = {torch.addmm, torch.Tensor.addmm}  # a matrix plus a product
FUNCTIONS = {functional.softplus, functional.silu, functional.leaky_relu, functional.sigmoid, functional.tanh}
FUNCTIONS |= {getattr(at, name) for at in (torch, torch.Tensor) for name in ("exp", "sigmoid", "tanh", "cos", "arccos")}


class WholeTiles(TorchFunctionMode):
    """Fill up the first factor of every product, and the argument of every function, to a multiple of ROWS."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call `func`; what was filled up is cut off from its result."""
        kwargs = kwargs or {}
        if func in FUNCTIONS and args[0].numel() % ROWS:
            flat = args[0].reshape(-1)
            filled = functional.pad(flat, (0, -len(flat) % ROWS))
            return func(filled, *args[1:], **kwargs)[: len(flat)].view(args[0].shape)
        at = 1 if func in SUMS else 0  # position of the first factor
        if func not in PRODUCTS | SUMS or args[at].dim() != 2 or not (lacking := -len(args[at]) % ROWS):
            return func(*args, **kwargs)
        filled = [functional.pad(one, (0, 0, 0, lacking)) if one.dim() == 2 else one for one in args[: at + 1]]
        return func(*filled, *args[at + 1 :], **kwargs)[: len(args[at])]
