"""Convert a checkpoint of the authors' code of CGCNN into weights and a card that `pretrained` takes; run as a command.

PYTHONPATH=workflow python -m matlens.cli.convert_cgcnn --checkpoint bulk-moduli.pth.tar --target log10_kvrh
--weights data/weights/authors_bulk_modulus.safetensors
"""

from pathlib import Path

from matlens.job import entry
from matlens.predict import checkpoints
from matlens.store import io


def main(checkpoint: str, weights: str, target: str) -> None:
    """Write the weights, and their card next to them."""
    if not str(weights).endswith(".safetensors"):
        raise SystemExit(f"--weights {weights}: the name of the file has to end in .safetensors")
    try:
        arrays, card = checkpoints.converted(io.read_checkpoint(checkpoint), target)
    except (ValueError, FileNotFoundError) as error:
        raise SystemExit(f"{checkpoint}: {error}") from None
    io.write_json(Path(weights).with_suffix(".json"), card)
    io.write_weights(weights, arrays)


if __name__ == "__main__":
    entry.run(main)
