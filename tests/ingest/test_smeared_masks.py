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
    for values in ({"matrix": [0], "fibre": "other"}, {"matrix": [0], "fibre": [255]}):
        with pytest.raises(BadItem, match=r"JPEG.* export the mask as PNG or TIFF in its own size"):
            files.read(item, ["matrix", "fibre"], truth_values=values)
    right = item | {"truth_file": str(tmp_path / "a.png")}
    found = files.read(right, ["matrix", "fibre"], truth_values={"matrix": [0], "fibre": "other"}).truth
    assert np.array_equal(found, truth)
