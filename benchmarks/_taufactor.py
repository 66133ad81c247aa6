"""Tortuosity factors by taufactor, run by the interpreter of an environment of its own; no benchmark of its own."""

import json
import sys
import time

import numpy as np


def main(path: str) -> None:
    """Print the tortuosity factor of a volume of 0 and 1 along axis 0 and the CPU seconds."""
    import taufactor
    import torch

    torch.set_num_threads(1)
    volume = np.load(path)
    start = time.process_time()
    solver = taufactor.Solver(volume, device="cpu")
    solver.solve(verbose=False, conv_crit=1e-3)
    print(json.dumps({"tau": float(np.ravel(solver.tau)[0]), "seconds": time.process_time() - start}))


if __name__ == "__main__":
    main(sys.argv[1])
