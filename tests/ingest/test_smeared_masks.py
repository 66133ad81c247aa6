"""A mask that was saved as JPEG: its noise is no phase."""

import numpy as np
import pytest
from matlens.ingest import files
from matlens.job.batch import BadItem
from PIL import Image
from scipy import ndimage


def test_the_word_other_does_not_make_the_noise_of_a_jpeg_a_phase(tmp_path):
    truth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((64, 64)), 4) > 0.02
    for name, options in (("a.png", {}), ("a.jpg", {"quality": 70})):
        Image.fromarray(truth.astype(np.uint8) * 255).save(tmp_path / name, **options)
    item = {"file": str(tmp_path / "a.png"), "truth_file": str(tmp_path / "a.jpg")}
    with pytest.raises(BadItem, match=r"JPEG.* list the values of all phases, or export the mask as PNG or TIFF"):
        files.read(item, ["matrix", "fibre"], truth_values={"matrix": [0], "fibre": "other"})
    right = item | {"truth_file": str(tmp_path / "a.png")}
    found = files.read(right, ["matrix", "fibre"], truth_values={"matrix": [0], "fibre": "other"}).truth
    assert np.array_equal(found, truth)


@pytest.mark.parametrize("quality", [50, 70, 95])
@pytest.mark.parametrize("levels", [[0, 255], [0, 128, 255], [20, 230]])
def test_a_jpeg_whose_values_are_listed_is_read(tmp_path, quality, levels):
    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((256, 256)), 4)
    truth = np.digitize(field / field.std(), [0.3] if len(levels) == 2 else [-0.5, 0.5]).astype(np.uint8)
    mask = np.array(levels, np.uint8)[truth]
    Image.fromarray(mask).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "mask.jpg", quality=quality)
    Image.fromarray(np.where(np.arange(256) % 32 < 4, np.uint8(80), mask)).save(tmp_path / "other.jpg", quality=quality)
    phases = list("abc")[: len(levels)]
    item, values = {"file": str(tmp_path / "a.png")}, dict(zip(phases, levels, strict=True))
    found = files.read(item | {"truth_file": str(tmp_path / "mask.jpg")}, phases, truth_values=values)
    assert (found.truth != truth).mean() < (1e-5 if len(levels) == 2 else 1e-3)
    with pytest.raises(BadItem, match="values of no phase"):  # a value that is not listed
        files.read(item | {"truth_file": str(tmp_path / "other.jpg")}, phases, truth_values=values)
    with pytest.raises(BadItem, match="a JPEG is read if they are more than 64 apart"):
        files.read(item | {"truth_file": str(tmp_path / "mask.jpg")}, phases)
