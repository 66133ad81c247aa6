"""Labels of other tools, phases that a method cannot make, histograms with one peak."""

import struct
import zipfile

import numpy as np
import pytest
import tifffile
from matlens.job.batch import BadItem
from matlens.segment import checks, imported, modes, remarks
from PIL import Image

PHASES = ["matrix", "grain"]
IMAGE = np.zeros((30, 40), np.float32)


def labels():
    found = np.zeros((30, 40), np.int32)
    found[2:10, 3:12], found[15:25, 20:36] = 1, 300
    return found


def save(folder, form):
    """Write the labels as a tool does; returns the path that finds them."""
    import h5py

    array, path = labels(), {"tiff": "a.tif", "cellpose": "a_cp_masks.png", "napari": "a.npy", "npz": "a_labels.npz"}
    file = folder / path.get(form, "a_Simple Segmentation.h5")
    if form == "tiff":
        tifffile.imwrite(file, array.astype(np.uint16))
    elif form == "cellpose":
        Image.fromarray(array.astype(np.uint16)).save(file)
    elif form == "napari":
        np.save(file, array)
    elif form == "npz":
        np.savez(file, labels=array.astype(float))
    else:
        with h5py.File(file, "w") as root:
            root["exported_data"] = (np.minimum(array, 1) + 1).astype(np.uint8)[..., None]
    return str(folder)


@pytest.mark.parametrize("form", ["tiff", "cellpose", "napari", "npz"])
def test_label_images_of_other_tools_are_regions(tmp_path, form):
    found = imported.segment(IMAGE, "set/a", PHASES, path=save(tmp_path, form))
    assert found.dtype == np.int32 and np.array_equal(found, labels())


def test_phases_of_ilastik_count_from_1(tmp_path):
    found = imported.segment(IMAGE, "a", PHASES, path=save(tmp_path, "ilastik"), labels_are="phases")
    assert found.dtype == np.uint8 and np.array_equal(found, np.minimum(labels(), 1))
    with pytest.raises(BadItem, match="labels_are: regions"):
        imported.segment(IMAGE, "a", PHASES, path=str(tmp_path), labels_are="phases", first=0)


def test_more_labels_than_16_bits_and_unlabelled_pixels(tmp_path):
    many = np.arange(300 * 300, dtype=np.int32).reshape(300, 300) - 1
    np.save(tmp_path / "b.npy", many)
    found = imported.segment(np.zeros((300, 300), np.float32), "b", PHASES, path=str(tmp_path / "{item}.npy"))
    assert np.array_equal(found, many) and found.min() == -1
    tifffile.imwrite(tmp_path / "c.tif", np.array([[0, 2**32 - 1, 5]] * 3, np.uint32))
    assert imported.segment(np.zeros((3, 3)), "c", PHASES, path=str(tmp_path))[0].tolist() == [0, 2, 1]
    np.save(tmp_path / "d.npy", np.array([[-1, 2**40, 0, 7]], np.int64))
    assert imported.segment(np.zeros((1, 4)), "d", PHASES, path=str(tmp_path)).tolist() == [[-1, 2, 0, 1]]


def roi(kind, top, left, bottom, right, xy=(), options=0, floats=None):
    """Write an ImageJ ROI."""
    head = struct.pack(">4shBxhhhhH", b"Iout", 227, kind, top, left, bottom, right, len(xy))
    head = head.ljust(50, b"\0") + struct.pack(">h", options)
    head = head.ljust(64, b"\0")
    x, y = zip(*xy, strict=True) if xy else ((), ())
    body = struct.pack(f">{2 * len(xy)}h", *(v - left for v in x), *(v - top for v in y))
    return head + body + (struct.pack(f">{len(floats)}f", *floats) if floats else b"")


def test_rois_of_fiji_are_drawn_and_lines_are_named(tmp_path, capsys):
    square = [(20, 5), (30, 5), (30, 15), (20, 15)]
    shapes = {
        "1.roi": roi(1, 2, 3, 10, 12),
        "2.roi": roi(0, 5, 20, 15, 30, square),
        "3.roi": roi(2, 18, 4, 28, 14),
        "4.roi": roi(
            7, 18, 20, 28, 30, [(x, y + 13) for x, y in square], 128, [20.2, 30.2, 30.2, 20.2, 18, 18, 28, 28]
        ),
        "line.roi": roi(3, 0, 0, 9, 9),
    }
    with zipfile.ZipFile(tmp_path / "a_RoiSet.zip", "w") as archive:
        for name, data in shapes.items():
            archive.writestr(name, data)
    found = imported.segment(IMAGE, "a", PHASES, path=str(tmp_path))
    assert np.bincount(found.ravel())[1:].tolist()[:2] == [72, 100]
    assert abs(np.count_nonzero(found == 3) - 78.5) < 4 and np.count_nonzero(found == 4) == 100
    assert (found[2:10, 3:12] == 1).all() and (found[5:15, 20:30] == 2).all()
    assert "line.roi is a line" in capsys.readouterr().out
    (tmp_path / "b.roi").write_bytes(shapes["line.roi"])
    with pytest.raises(BadItem, match="no ROI with an area"):
        imported.segment(IMAGE, "b", PHASES, path=str(tmp_path))


@pytest.mark.parametrize("flag", range(1, 9))
def test_orientation_flags_of_label_files_are_obeyed(tmp_path, flag):
    shown = np.arange(12, dtype=np.uint16).reshape(3, 4)
    turn = {1: lambda a: a, 2: np.fliplr, 3: lambda a: a[::-1, ::-1], 4: np.flipud, 5: lambda a: a.T,
            6: lambda a: np.rot90(a), 7: lambda a: a[::-1, ::-1].T, 8: lambda a: np.rot90(a, -1)}[flag]  # fmt: skip
    stored = np.ascontiguousarray(turn(shown))
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, extratags=[(274, "H", 1, flag, True)], ome=False)
    exif = Image.Exif()
    exif[274] = flag
    Image.fromarray(stored.astype(np.uint8)).save(tmp_path / "b.png", exif=exif)
    for item in "ab":
        found = imported.segment(np.zeros((3, 4), np.float32), item, PHASES, path=str(tmp_path))
        np.testing.assert_array_equal(found, shown)


def test_a_mask_of_a_phase_taken_for_objects_is_remarked():
    stacks, mask = {"image": IMAGE, "ignore": None}, np.where(labels() > 0, 255, 0)
    assert "2 separate pieces" in remarks.of("imported", {}, stacks, mask.astype(np.int32), PHASES)
    assert remarks.of("imported", {}, stacks, labels(), PHASES) == ""
    assert remarks.of("imported", {}, stacks, np.minimum(labels(), 1) * (np.indices((30, 40))[0] < 12), PHASES) == ""
    said = remarks.of("imported", {}, stacks, mask.astype(np.uint8), PHASES)
    assert "all its pixels are 'matrix'" in said and "save the phase as 1" in said


def composite(*numbers, box=(0, 0, 9, 9)):
    """Write an ImageJ composite ROI out of its segments."""
    data = bytearray(roi(1, *box).ljust(64, b"\0"))
    data[36:40] = struct.pack(">i", len(numbers))
    return bytes(data) + struct.pack(f">{len(numbers)}f", *numbers)


def outline(*corners):
    """List the segments of a closed polygon of (x, y)."""
    return [v for at, (x, y) in enumerate(corners) for v in (min(at, 1), x, y)] + [4]


def test_composites_of_fiji_have_their_holes_parts_and_curves(tmp_path):
    ring = outline((2, 3), (12, 3), (12, 13), (2, 13)) + outline((5, 6), (5, 10), (9, 10), (9, 6))
    parts = outline((20, 2), (24, 2), (24, 6), (20, 6)) + outline((30, 2), (34, 2), (34, 6), (30, 6))
    k = 0.5523 * 5  # a circle of radius 5 about (25, 20), in four cubic curves
    round_ = [0, 30, 20, 3, 30, 20 + k, 25 + k, 25, 25, 25, 3, 25 - k, 25, 20, 20 + k, 20, 20]
    round_ += [3, 20, 20 - k, 25 - k, 15, 25, 15, 3, 25 + k, 15, 30, 20 - k, 30, 20, 4]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for at, numbers in enumerate((ring, parts, round_)):
            archive.writestr(f"{at}.roi", composite(*numbers))
    found = imported.segment(IMAGE, "a", PHASES, path=str(tmp_path))
    assert np.bincount(found.ravel())[1:3].tolist() == [84, 32]
    assert (found[6:10, 5:9] == 0).all() and (found[2:6, 30:34] == 2).all()
    assert abs(np.count_nonzero(found == 3) - 25 * np.pi) < 4


def test_rois_of_several_slices_are_refused_and_hidden_ones_are_named(tmp_path, capsys):
    first, second = (bytearray(roi(1, 2, 3, 10, 12)) for _ in range(2))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("below.roi", bytes(first))
        archive.writestr("above.roi", roi(1, 1, 2, 11, 13))
        archive.writestr("far.roi", roi(1, 500, 500, 510, 510))
    assert np.unique(imported.segment(IMAGE, "a", PHASES, path=str(tmp_path))).tolist() == [0, 2]
    assert "wholly below others: below.roi; far.roi" in capsys.readouterr().out
    first[56:60], second[56:60] = struct.pack(">i", 1), struct.pack(">i", 2)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("1.roi", bytes(first))
        archive.writestr("2.roi", bytes(second))
    with pytest.raises(BadItem, match="lie on 2 slices"):
        imported.segment(IMAGE, "b", PHASES, path=str(tmp_path))


def test_what_cannot_be_imported_says_why(tmp_path):
    np.save(tmp_path / "p_seg.npy", np.array({"masks": 1}, object), allow_pickle=True)
    with pytest.raises(BadItem, match=r"pickle.*PNG or TIFF"):
        imported.segment(IMAGE, "p", PHASES, path=str(tmp_path))
    with pytest.raises(BadItem, match="no file of labels"):
        imported.segment(IMAGE, "q", PHASES, path=str(tmp_path))
    np.save(tmp_path / "r.npy", labels()[:20])
    with pytest.raises(BadItem, match="40 x 20 pixels, the image 40 x 30"):
        imported.segment(IMAGE, "r", PHASES, path=str(tmp_path))
    np.save(tmp_path / "r_labels.npy", labels())
    with pytest.raises(BadItem, match="two files"):
        imported.segment(IMAGE, "r", PHASES, path=str(tmp_path))
    np.save(tmp_path / "s.npy", labels() / 7)
    with pytest.raises(BadItem, match="probabilities"):
        imported.segment(IMAGE, "s", PHASES, path=str(tmp_path))
    (tmp_path / "t.tif").write_bytes(b"II*\0broken")
    with pytest.raises(BadItem, match="cannot be read"):
        imported.segment(IMAGE, "t", PHASES, path=str(tmp_path))


@pytest.mark.parametrize(
    ("phases", "segment", "keys"),
    [
        (["a", "b", "c"], {"otsu": {}, "adaptive": {}, "multi_otsu": {}}, ["segment.otsu", "segment.adaptive"]),
        (["a", "b", "c"], {"otsu.wide": {"sigma_px": 3}}, ["segment.otsu.wide"]),
        (["a", "b", "c"], {"kmeans": {}}, ["segment.kmeans.classes"]),
        (["a", "b", "c"], {"kmeans": {"classes": 3}, "watershed": {}}, []),
        (["a", "b"], {"multi_otsu": {}}, ["segment.multi_otsu.classes"]),
        (["a", "b"], {"multi_otsu": {"phase_of_class": [0, 1, 0]}, "otsu": {}}, []),
        (["a", "b", "c"], {"multi_otsu": {"phase_of_class": [0, 1, 1]}}, ["segment.multi_otsu.classes"]),
        ([], {}, []),
    ],
)
def test_phases_that_a_method_cannot_make_are_found_in_the_settings(phases, segment, keys):
    assert [key for key, _ in checks.impossible({"phases": phases, "segment": segment})] == keys


STATFACULTY = (  # the example of the package diptest of R, whose dip is 0.05952381
    "30 33 35 36 37 37 39 39 39 39 39 40 40 40 40 41 42 43 43 43 44 44 45 45 46 47 47 47 47 48 48 49 50 50 51 52 52 53 "
    "53 53 53 53 54 54 57 57 59 60 60 60 61 61 61 61 62 62 62 62 63 66 70 72 72"
)


def test_the_dip_of_known_samples():
    assert modes.dip([int(value) for value in STATFACULTY.split()]) == pytest.approx(0.05952381, abs=1e-8)
    assert modes.dip(np.arange(50)) == pytest.approx(0.01)
    assert modes.dip([0, 0, 1, 1]) == pytest.approx(0.25)
    assert modes.dip(np.ones(5)) <= 0.5


def discs(fraction, contrast, seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:240, :240]
    inside = (y % 48 - 24) ** 2 + (x % 48 - 24) ** 2 < fraction * 48**2 / np.pi
    return (0.4 + contrast * inside + rng.normal(0, 0.04, inside.shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("fraction", "contrast", "one"), [(0.3, 0.0, True), (0.3, 0.3, False), (0.1, 0.3, False), (0.02, 0.3, False)]
)
def test_one_peak_is_reported_and_two_are_not(fraction, contrast, one, seed):
    image = discs(fraction, contrast, seed)
    labels = (image > 0.5).astype(np.uint8)
    said = remarks.of("otsu", {"sigma_px": 1.0}, {"image": image, "ignore": None}, labels, PHASES)
    assert ("one peak" in said) == one


def test_labels_of_one_phase_and_twins_are_remarked():
    stacks = {"image": IMAGE, "ignore": None}
    assert "all its pixels are 'matrix'" in remarks.of("forest", {}, stacks, np.zeros((30, 40), np.uint8), PHASES)
    assert "no region" in remarks.of("imported", {}, stacks, np.full((30, 40), -1, np.int32), PHASES)
    assert "twins: keep" in remarks.of("ebsd_grains", {"twins": "keep"}, stacks, labels(), PHASES)
    assert remarks.of("ground_truth", {}, stacks, np.zeros((30, 40), np.uint8), PHASES) == ""


@pytest.mark.parametrize("path", ["", "{stem}_labels.npy", "{item}_labels.npy", "deep/{stem}_labels.npy"])
def test_a_changed_or_new_file_of_labels_is_noticed(tmp_path, path):
    (tmp_path / "deep").mkdir()
    place = str(tmp_path / path)
    with pytest.raises(ValueError, match="no file of labels"):
        imported.check(path=place)
    for folder in (tmp_path, tmp_path / "deep"):
        np.save(folder / "a_labels.npy", labels())
    imported.check(path=place)
    seen = [imported.listing(path=place)]
    np.save(tmp_path / "deep/a_labels.npy" if "deep" in path else tmp_path / "a_labels.npy", labels()[:9])
    seen.append(imported.listing(path=place))
    np.save(tmp_path / "deep/b_labels.npy" if "deep" in path else tmp_path / "b_labels.npy", labels())
    seen.append(imported.listing(path=place))
    assert len(set(seen)) == 3
