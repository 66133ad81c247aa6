"""Points left out, phases counted from 0, points that are not indexed, HDF5 of EDAX and Bruker, twins."""

import json

import numpy as np
import pytest
from matlens.ingest import readers
from matlens.ingest.readers import h5ebsd
from matlens.job.batch import BadItem
from matlens.segment import ebsd_grains

from .test_ebsd import ANG_HEADER, TWO_PHASES, ang_points, ctf_points, hexagonal_points, read_ang, read_ctf

LARGE = 10**7
CASES = "cases/images"


def grains(found, **options):
    layers = found.layers
    return ebsd_grains.segment(layers["euler_rad"], layers["phase_index"], layers["laue"], **options)


@pytest.mark.parametrize("name", ["hole.ang", "corner.ang"])
def test_points_that_an_export_left_out_keep_the_map_in_place(data, name):
    folder = data(f"{CASES}/16_ebsd_points_left_out")
    right = json.loads((folder / "expected.json").read_text())["inputs"][name]["right"]
    found = readers.read(str(folder / name), max_pixels=LARGE)
    assert list(found.pixels.shape) == right["shape_yx"] and found.pixel_size_um == pytest.approx(0.5)
    assert found.meta["points_not_indexed"] == right["not_indexed"] == found.meta["points_left_out"]
    areas = sorted(np.bincount(grains(found, min_points=3).ravel())[1:] * 0.25)
    assert areas == pytest.approx(sorted(right["grain_areas_um2"]["value"]))
    assert found.layers["ignore"].any()


def test_a_hexagonal_map_with_a_hole_keeps_its_place(tmp_path):
    points = hexagonal_points(odd=12, even=11, rows=9)
    whole = read_ang(tmp_path, points, "")
    hole = [p for p in points if not (2 < float(p.split()[3]) < 4 and 1 < float(p.split()[4]) < 2.8)]
    assert len(points) - len(hole) > 9
    found = read_ang(tmp_path, hole, "")
    assert found.pixels.shape == whole.pixels.shape and found.pixel_size_um == pytest.approx(whole.pixel_size_um)
    held = found.layers["phase_index"] > 0
    assert np.array_equal(found.pixels[held], whole.pixels[held]) and found.layers["ignore"].any()


def test_ctf_with_a_hole_and_scattered_points_left_out(tmp_path):
    points = ctf_points()
    del points[14], points[7]
    found = read_ctf(tmp_path, points)
    assert found.layers["phase_index"].ravel().tolist() == [n not in (7, 14) for n in range(24)]
    assert not found.layers["ignore"].any()


@pytest.mark.parametrize("count", [18, 21, 23])
def test_a_file_that_ends_early_is_still_refused(tmp_path, count):
    with pytest.raises(BadItem, match=f"{count} points"):
        read_ang(tmp_path, ang_points()[:count])


def header(phases):
    return ANG_HEADER[: ANG_HEADER.index("# Phase")] + phases + ANG_HEADER[ANG_HEADER.index("# GRID") :]


def test_phases_counted_from_0_in_the_header(tmp_path):
    phases = TWO_PHASES.replace("Phase 2", "Phase 0")
    points = ang_points(phase=0)
    points[:6] = ang_points(phase=1)[:6]
    points[7] = points[7].replace("0.500", "-1.000")
    found = read_ang(tmp_path, points, header(phases))
    assert found.layers["phase_index"].ravel().tolist() == [2] * 6 + [1, 0] + [1] * 16
    assert found.layers["laue"].ravel()[:7].tolist() == [11] * 6 + [9]
    single = read_ang(tmp_path, ang_points(), ANG_HEADER.replace("Phase 1", "Phase 0"))
    assert (single.layers["phase_index"] == 1).all() and single.meta["points_not_indexed"] == 0


def test_phases_counted_from_0_in_the_points_alone(tmp_path):
    points = ang_points(phase=0)
    points[:6] = ang_points(phase=1)[:6]
    found = read_ang(tmp_path, points, header(TWO_PHASES))
    assert found.layers["phase_index"].ravel().tolist() == [2] * 6 + [1] * 18
    blank = [" 0.0 0.0 0.0 " + " ".join(p.split()[3:6]) + " 0.000 0 1 1.0" for p in points]
    found = read_ang(tmp_path, points[:6] + blank[6:], header(TWO_PHASES))
    assert found.layers["phase_index"].ravel().tolist() == [1] * 6 + [0] * 18  # no confidence, no angles: not indexed
    assert "75 % of the points are not indexed" in found.meta["remark"]


def test_a_fit_of_180_degrees_is_not_indexed(tmp_path):
    points = ang_points()
    points[4] = points[4].replace("1.234", "180.000")
    assert read_ang(tmp_path, points).layers["phase_index"].ravel()[3:6].tolist() == [1, 0, 1]


def write_h5(path, kind, *, phases_from=1, keep=None, picture=True):
    import h5py

    y, x = np.divmod(np.arange(192), 16)
    keep = np.ones(192, bool) if keep is None else keep
    angles = np.stack([np.where(x < 8, 0.1, 0.9), np.full(192, 0.3), np.full(192, 0.2)], axis=1)
    confidence, fit, phase = np.full(192, 0.5), np.full(192, 1.2), (x > 7) + phases_from
    confidence[3], angles[5], fit[7] = -1, 4 * np.pi, 180
    with h5py.File(path, "w") as file:
        data, head = (file.create_group(f"Scan 1/EBSD/{name}") for name in ("Data", "Header"))
        if kind == "edax":
            file[" Manufacturer"], file[" Version"] = b"EDAX", b"OIM Analysis 8.6"
            columns = {
                "CI": confidence,
                "Fit": fit,
                "IQ": np.arange(192.0),
                "X Position": x * 0.5,
                "Y Position": y * 0.5,
            }
            columns |= dict(zip(("Phi1", "Phi", "Phi2"), angles.T, strict=True))
            entries = {"nColumns": 16, "nRows": 12, "Step X": 0.5, "Step Y": 0.5, "Grid Type": b"SqrGrid"}
            phase_names, symmetry = "Phase", {"MaterialName": b"Nickel", "Symmetry": 43}
        else:
            file["Manufacturer"], file["Version"] = b"Bruker Nano", b"Esprit 2.X"
            columns = {"MAD": fit, "RadonQuality": np.arange(192.0), "X SAMPLE": (15 - x) * 0.5, "Y SAMPLE": y * 0.5}
            columns |= dict(zip(("phi1", "PHI", "phi2"), np.degrees(angles).T, strict=True))
            phase[[3, 5, 7]] = 0
            entries = {"NCOLS": 16, "NROWS": 12, "XSTEP": 0.5, "YSTEP": 0.5, "Grid Type": b"isometric", "KV": 20.0}
            file["Scan 1/SEM/SEM IX"], file["Scan 1/SEM/SEM IY"] = 40 + 3 * x[keep], 10 + 3 * y[keep]
            phase_names, symmetry = "Phases", {"Name": b"Nickel", "IT": 225}
        for name, values in (columns | {"Phase": phase}).items():
            data[name] = values[keep]
        for name, value in entries.items():
            head[name] = value if isinstance(value, bytes) else np.array([value])
        for number in (1, 2):
            for name, value in symmetry.items():
                head[f"{phase_names}/{number}/{name}"] = value
        if picture:
            file["Scan 1/SEM-PRIAS Images/Data"] = np.zeros((351, 400, 3), np.uint8)


@pytest.mark.parametrize("kind", ["edax", "bruker"])
def test_the_map_of_an_hdf5_file_is_read_and_not_the_picture_beside_it(tmp_path, kind):
    write_h5(tmp_path / "a.h5", kind)
    found = readers.read(str(tmp_path / "a.h5"), max_pixels=LARGE)
    assert found.pixels.shape == (12, 16) and found.pixel_size_um == pytest.approx(0.5)
    assert np.bincount(found.layers["phase_index"].ravel()).tolist() == [3, 93, 96]
    assert found.meta["points_not_indexed"] == 3 and found.meta["ebsd_phases"] == "1:Nickel-m-3m;2:Nickel-m-3m"
    np.testing.assert_allclose(found.layers["euler_rad"][0, 1], [0.1] * 8 + [0.9] * 8, rtol=1e-5)


def test_edax_phases_from_0_and_points_left_out(tmp_path):
    y, x = np.divmod(np.arange(192), 16)
    keep = ~((abs(x - 9) < 2) & (abs(y - 6) < 2))
    write_h5(tmp_path / "a.h5", "edax", phases_from=0, keep=keep)
    found = h5ebsd.read(tmp_path / "a.h5", max_pixels=LARGE)
    assert np.bincount(found.layers["phase_index"].ravel()).tolist() == [12, 93, 87]
    assert found.layers["ignore"].sum() == 9


def test_ebsd_of_an_unknown_layout_is_refused_and_colours_are_no_volume(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["Area/EBSD/ANG/DATA"] = np.zeros((20, 20))
    with pytest.raises(BadItem, match="layout that is not read"):
        readers.read(str(tmp_path / "a.h5"), max_pixels=LARGE)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["picture"] = np.arange(351 * 40 * 3, dtype=np.uint32).reshape(351, 40, 3).astype(np.uint8)
    assert readers.read(str(tmp_path / "b.h5"), max_pixels=LARGE).pixels.shape == (351, 40)


def test_twins_are_kept_or_merged(data):
    found = readers.read(str(data(f"{CASES}/17_sigma3_twins/fcc_twins.ctf")), max_pixels=LARGE)
    assert grains(found, min_points=1).max() == 73
    assert grains(found, min_points=1, twins="merge").max() == 27


@pytest.mark.parametrize(("degrees", "count"), [(60, 1), (55, 1), (48, 2), (40, 2)])
def test_merging_keeps_to_the_tolerance_of_brandon_and_to_cubic_phases(degrees, count):
    from matlens.crystal import orientations

    w, x, y, z = orientations.from_axis_angle((1, 1, 1), degrees)
    phi = np.arccos(1 - 2 * (x * x + y * y))
    phi1, phi2 = np.arctan2(-z, w) + np.arctan2(-y, -x), np.arctan2(-z, w) - np.arctan2(-y, -x)
    euler = np.zeros((3, 6, 10), np.float32)
    euler[:, :, 5:] = np.array([phi1, phi, phi2])[:, None, None]
    q = orientations.from_euler(np.moveaxis(euler, 0, -1))
    assert orientations.misorientation_deg(q[0, 0], q[0, 9], 11) == pytest.approx(degrees, abs=0.01)
    ones = np.ones((6, 10), np.uint8)
    for laue, right in ((11, count), (9, 2)):
        assert ebsd_grains.segment(euler, ones, ones * laue, min_points=1, twins="merge").max() == right


def test_real_maps_lose_no_point(data):
    for name, lost in (("mtex/twins.ctf", 46), ("ebsdlib/Test_2.ang", None), ("mtex/3dData/S00.ANG", 342)):
        try:
            found = readers.read(str(data(f"micrographs/ebsd/{name}")), max_pixels=LARGE)
        except BadItem:
            assert lost is None
            continue
        assert lost is None or found.meta["points_not_indexed"] == lost, name
