"""Labels from other tools: label images (TIFF, PNG, NumPy, HDF5 of ilastik) and ROI sets of Fiji."""

import hashlib
from glob import escape, glob
from pathlib import Path

import numpy as np

from matlens.job.batch import BadItem
from matlens.segment import label_files

ENDINGS = (
    *("_cp_masks", "_seg", "_Simple Segmentation", "_Object Predictions", "_Object Identities"),
    *("_labels", "-labels", "_label", "_masks", "_mask", "_RoiSet", "_segmentation"),
)
READ = (".tif", ".tiff", ".png", ".npy", ".npz", ".h5", ".hdf5", ".zip", ".roi")


def segment(
    image: np.ndarray, item: str, phases: list[str], *, path: str, labels_are: str = "regions", first: int | None = None
) -> np.ndarray:
    """Take the labels of an item from a file of another tool.

    `path`: a folder, whose files bear the names of the items with or without the usual endings (_cp_masks, _seg,
    _labels, ...), or a pattern with {item} or {stem} (the item without folders). `labels_are`: "regions" (int32, 0 is
    background, -1 unlabelled) or "phases" (uint8, 255 unlabelled). `first`: number in the file that is the first phase;
    None: 1 for HDF5 of ilastik, 0 otherwise. Raises BadItem if the file is missing, unreadable or of another size.
    """
    file = locate(path, item)
    labels = label_files.read(file, image.shape)
    if labels.shape != image.shape:
        sizes = [" x ".join(map(str, shape[::-1])) for shape in (labels.shape, image.shape)]
        raise BadItem(f"its labels {file} have {sizes[0]} pixels, the image {sizes[1]}; export the labels in its size")
    if labels_are == "regions":
        return regions(labels)
    first = (1 if file.suffix.lower() in label_files.HDF5 else 0) if first is None else first
    return phase_map(labels, first, phases, file)


def regions(labels: np.ndarray) -> np.ndarray:
    """Convert numbers to int32 regions: negative is -1; if any exceeds 2^31 - 1, all are renumbered from 1."""
    if labels.max(initial=0) <= np.iinfo(np.int32).max:
        return np.where(labels < 0, -1, labels).astype(np.int32)
    present, place = np.unique(labels, return_inverse=True)
    return np.where(present < 0, -1, np.cumsum(present > 0))[place].reshape(labels.shape).astype(np.int32)


def phase_map(labels: np.ndarray, first: int, phases: list[str], file: Path) -> np.ndarray:
    """Convert numbers to phases, uint8; 255, negative numbers and numbers below `first` are unlabelled."""
    known = (labels >= first) & (labels != 255)
    numbers = np.where(known, labels.astype(np.int64) - first, 255)
    if (worst := int(numbers[known].max(initial=0))) >= len(phases):
        raise BadItem(
            f"its labels {file} have the number {worst + first}, the study has {len(phases)} phases (the first is "
            f"{first}); name more phases, set first, or set labels_are: regions if the numbers are objects"
        )
    return numbers.astype(np.uint8)


def listing(*, path: str) -> str:
    """Digest names, sizes and times of the files of labels, so that a new or changed file is noticed."""
    seen = hashlib.sha256()
    for file in sorted(set(files(path))):
        status = file.stat()
        seen.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()


def files(path: str) -> list[Path]:
    """List the files of labels that a path may stand for, whatever the items."""
    if "{item}" in path or "{stem}" in path:
        pattern = escape(str(Path(path).expanduser())).replace("{item}", "**/*").replace("{stem}", "*")
        return [Path(name) for name in glob(pattern, recursive=True) if Path(name).is_file()]
    return [f for f in Path(path).expanduser().rglob("*") if f.suffix.lower() in READ and f.is_file()]


def check(*, path: str) -> None:
    """Raise ValueError if a path stands for no file of labels at all."""
    if not files(path):
        raise ValueError(f"'{path}' holds no file of labels ({', '.join(READ)}); correct it, or export labels there")


def locate(path: str, item: str) -> Path:
    """Find the file of labels of an item. Raises BadItem if there is none or more than one."""
    stem = item.rsplit("/", 1)[-1]
    if "{item}" in path or "{stem}" in path:
        pattern = Path(path.replace("{item}", item).replace("{stem}", stem)).expanduser()
        found = [pattern] if pattern.is_file() else []
        where = str(pattern)
    else:
        folder = Path(path).expanduser()
        near = [folder / item.rsplit("/", 1)[0], folder] if "/" in item else [folder]
        found, where = [], str(folder)
        for place in near:
            files = sorted(place.iterdir()) if place.is_dir() else []
            found = found or [
                f for f in files if f.suffix.lower() in READ and _is_of(f.stem.removesuffix(".ome"), stem)
            ]
    if len(found) > 1:
        raise BadItem(f"two files of labels bear its name: {found[0]} and {found[1]}; keep one, or give a pattern")
    if not found:
        raise BadItem(f"no file of labels for it (looked for {stem} in {where}); export it, or correct path")
    return found[0]


def _is_of(name: str, stem: str) -> bool:
    """Check whether the name of a file of labels is that of an item, but for a usual ending."""
    return name == stem or any(name == stem + ending for ending in ENDINGS)
