"""Readers of EBSD maps, against public files that orix and DefDAP have read, and against broken ones built by hand."""

import numpy as np
import pytest
from matlens.ingest import readers
from matlens.ingest.readers import ang, crc, ctf, h5oina
from matlens.job.batch import BadItem

LARGE = 10**7
EBSD = "micrographs/ebsd"

ANG_HEADER = """# TEM_PIXperUM          1.000000
# x-star                0.372300
#
# Phase 1
# MaterialName  \tNickel
# Formula     \tNi
# Info\t\t
# Symmetry              43
# LatticeConstants      3.520 3.520 3.520  90.000  90.000  90.000
# NumberFamilies        1
# hklFamilies   \t 1  1  1 1 0.000000
# Categories 0 0 0 0 0
#
# GRID: SqrGrid
# XSTEP: 0.250000
# YSTEP: 0.250000
# NCOLS_ODD: 6
# NCOLS_EVEN: 6
# NROWS: 4
#
# OPERATOR: \tAdministrator
#
"""
TWO_PHASES = """# Phase 2
# MaterialName  \tTitanium
# Symmetry              62
# Phase 1
# MaterialName  \tIron
# Symmetry              43
"""


def ang_points(columns=6, rows=4, step=0.25, phase=0, ci=0.5) -> list[str]:
    """Write points in reading order, with phi1 = 0.001 times their number, and IQ ten times it."""
    return [
        f"  {n / 1000:.5f}   1.00000   2.00000 {n % columns * step:12.5f} {n // columns * step:12.5f} {n * 10:6.1f}"
        f" {ci:6.3f}  {phase}   -816   1.234"
        for n in range(columns * rows)
    ]


def hexagonal_points(odd=6, even=5, rows=5, step=0.5) -> list[str]:
    points, n = [], 0
    for row in range(rows):
        for column in range(even if row % 2 else odd):
            x, y = (column + row % 2 / 2) * step, row * step * np.sqrt(3) / 2
            points.append(f" {n / 1000:.5f} 1.00000 2.00000 {x:.5f} {y:.5f} {n * 10:.1f} 0.500 0 0 1.0")
            n += 1
    return points


def write_ang(folder, points, header=ANG_HEADER, end="\n"):
    path = folder / "map.ang"
    path.write_bytes((header.rstrip("\n") + "\n" + "\n".join(points) + "\n").replace("\n", end).encode("latin-1"))
    return path


def read_ang(folder, points, header=ANG_HEADER, end="\n"):
    return ang.read(write_ang(folder, points, header, end), max_pixels=LARGE)


CTF_HEADER = """Channel Text File
Prj\tC:\\data\\Prüfung.cpr
Author\t[Unknown]
JobMode\tGrid
XCells\t6
YCells\t4
XStep\t0.5
YStep\t0.5
AcqE1\t0
AcqE2\t0
AcqE3\t0
Euler angles refer to Sample Coordinate system (CS0)!\tMag\t200\tCoverage\t100\tDevice\t0\tKV\t15\tTiltAngle\t70
Phases\t2
3.231;3.231;5.148\t90;90;120\tZirc-alloy4\t9\t0\t0_5.0.6.0\t-67395467\t[Zr4.cry]
2.866;2.866;2.866\t90;90;90\tIron bcc\t11\t229\t\t\tSome Journal, vol. 1
Phase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS
"""


def ctf_points(columns=6, rows=4, step=0.5, phase=1) -> list[str]:
    return [
        f"{phase}\t{n % columns * step:.4f}\t{n // columns * step:.4f}\t8\t0\t{n + 100.5:.4f}\t40.207\t29.394\t0.6000"
        f"\t{n + 80}\t7"
        for n in range(columns * rows)
    ]


def read_ctf(folder, points, header=CTF_HEADER, end="\r\n"):
    path = folder / "map.ctf"
    path.write_bytes((header + "\n".join(points) + "\n").replace("\n", end).encode("latin-1"))
    return ctf.read(path, max_pixels=LARGE)


CPR = """[General]
Version=5.0
JobMode=RegularGrid
[Job]
Coverage=94.1
Magnification=800
kV=20.00
GridDistX=0.1200
GridDistY=0.1200
xCells=5
yCells=3
[Fields]
Count=6
Field1=3
Field2=4
Field3=5
Field4=6
Field5=7
Field6=11
[Phases]
Count=1
[Phase1]
StructureName=Ni-superalloy
LaueGroup=11
SpaceGroup=225
"""
RECORD = np.dtype([("phase", "u1"), ("euler", "<f4", 3), ("mad", "<f4"), ("bc", "u1"), ("error", "u1")])


def write_crc(folder, header=CPR, count=15, more=b"", names=("map.cpr", "map.crc"), **columns):
    points = np.zeros(count, RECORD)
    points["phase"], points["bc"], points["mad"] = 1, np.arange(count), 0.5
    points["euler"][:, 0] = np.arange(count) / 10
    for name, values in columns.items():
        points[name] = values
    (folder / names[0]).write_bytes(header.replace("\n", "\r\n").encode("latin-1"))
    (folder / names[1]).write_bytes(points.tobytes() + more)
    return folder / names[0]


def write_h5oina(path, columns=5, rows=3, *, drop=(), step_y=0.2, slices=("1",), **values):
    """Write the layout of the specification, version 5: arrays of one for scalars, strings as bytes."""
    import h5py

    count = columns * rows
    data = {
        "Phase": np.ones((count, 1), np.uint8),
        "Euler": np.stack([np.arange(count) / 10, np.ones(count), np.full(count, 0.5)], axis=1).astype(np.float32),
        "Band Contrast": np.arange(count, dtype=np.uint8)[:, None],
        "Mean Angular Deviation": np.full((count, 1), np.radians(0.5), np.float32),
        **values,
    }
    header = {
        "X Cells": np.array([columns], np.int32),
        "Y Cells": np.array([rows], np.int32),
        "X Step": np.array([0.2], np.float32),
        "Y Step": np.array([step_y], np.float32),
        "Beam Voltage": np.array([20.0], np.float32),
        "Magnification": np.array([1500.0], np.float32),
    }
    with h5py.File(path, "w") as file:
        file["Format Version"], file["Manufacturer"] = b"5.0", b"Oxford Instruments"
        file["Index"] = np.array(slices, "S")
        for name in slices:
            for group, entries in (("Data", data), ("Header", header)):
                made = file.create_group(f"{name}/EBSD/{group}")
                for key, value in entries.items():
                    if key not in drop:
                        made[key] = value
            phase = file.create_group(f"{name}/EBSD/Header/Phases/1")
            phase["Phase Name"], phase["Laue Group"] = b"Iron bcc", np.array([11], np.int32)
            phase["Laue Group"].attrs["Symbol"] = "m-3m"
            phase["Space Group"] = np.array([229], np.int32)
    return path


def test_public_ctf_has_the_shape_and_step_that_orix_reads(data):
    found = ctf.read(data(f"{EBSD}/mtex/twins.ctf"), max_pixels=LARGE)
    assert found.pixels.shape == (137, 167) and found.pixels.dtype == np.uint8
    assert found.pixel_size_um == pytest.approx(0.3)
    assert found.meta["ebsd_phases"] == "1:Magnesium-6/mmm"
    assert (found.meta["beam_energy_kev"], found.meta["magnification"]) == (20.0, 400.0)
    # the second line of the file: 1 0.3 0.0 9 0 175.94 98.663 15.470 0.5 127 207
    assert found.pixels[0, 1] == 127 and found.layers["mad_deg"][0, 1] == pytest.approx(0.5)
    np.testing.assert_allclose(np.degrees(found.layers["euler_rad"][:, 0, 1]), [175.94, 98.663, 15.470], rtol=1e-6)
    # the last: 1 49.8 40.8 10 0 11.253 63.977 46.515 0.3 157 194
    assert found.pixels[-1, -1] == 157
    np.testing.assert_allclose(np.degrees(found.layers["euler_rad"][:, -1, -1]), [11.253, 63.977, 46.515], rtol=1e-6)
    assert found.meta["points_not_indexed"] == np.count_nonzero(found.layers["phase_index"] == 0) == 46
    assert set(np.unique(found.layers["laue"])) == {0, 9}


def test_public_ang_is_taken_by_its_coordinates_where_the_header_is_of_the_map_before_thinning(data):
    found = ang.read(data(f"{EBSD}/mtex/3dData/S00.ANG"), max_pixels=LARGE)
    assert found.pixels.shape == (40, 35) and found.pixel_size_um == pytest.approx(0.4)
    assert "thinned" in found.meta["grid"] and "140 columns x 160 rows" in found.meta["grid"]
    assert found.meta["ebsd_phases"] == "1:Iron bcc (old)-m-3m"
    assert found.meta["points_not_indexed"] == 342
    assert found.pixels[0, :4].tolist() == [145, 128, 179, 170]
    np.testing.assert_allclose(found.layers["euler_rad"][:, 0, 0], [4.63245, 0.52904, 1.39061], rtol=1e-6)
    assert found.layers["confidence"][0, 0] == pytest.approx(0.665)


def test_public_cpr_and_crc_make_one_map_by_either_name(data):
    folder = data(f"{EBSD}/defdap")
    found = crc.read(folder / "testDataEBSD.cpr", max_pixels=LARGE)
    assert found.pixels.shape == (243, 359) and found.pixel_size_um == pytest.approx(0.12)
    assert found.meta["ebsd_phases"] == "1:Ni-superalloy-m-3m" and found.meta["points_not_indexed"] == 0
    assert found.layers["mad_deg"].max() == pytest.approx(1.887, abs=1e-3)
    other = crc.read(folder / "testDataEBSD.crc", max_pixels=LARGE)
    np.testing.assert_array_equal(other.layers["euler_rad"], found.layers["euler_rad"])


@pytest.mark.parametrize("name", ["ebsdlib/Test_1.ang", "ebsdlib/Test_2.ang", "ebsdlib/Test_US_1.ctf"])
def test_small_public_files(data, name):
    found = readers.read(str(data(f"{EBSD}/{name}")), max_pixels=LARGE)
    assert found.pixels.shape == ((5, 40) if name.endswith("ctf") else (4, 40))
    assert found.pixel_size_um == (0.5 if name.endswith("ctf") else 0.25)
    assert found.meta["points_not_indexed"] == (10 if name.endswith("ctf") else 160)


def test_public_short_file_is_refused_with_its_counts(data):
    with pytest.raises(BadItem, match=r"88 points .* 40 columns x 4 rows .* 160 points, of which 72 are missing"):
        ang.read(data(f"{EBSD}/ebsdlib/ShortFile.ang"), max_pixels=LARGE)


def check_ang(found, columns=6, rows=4):
    assert found.pixels.shape == (rows, columns) and found.pixels.dtype == np.float32
    numbers = np.arange(columns * rows).reshape(rows, columns)
    np.testing.assert_allclose(found.pixels, numbers * 10)
    np.testing.assert_allclose(found.layers["euler_rad"][0], numbers / 1000, atol=1e-6)
    assert (found.intensity_low, found.intensity_high) == (0, (columns * rows - 1) * 10)
    assert found.pixel_size_um == pytest.approx(0.25)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ang_of_any_line_end(tmp_path, end):
    check_ang(read_ang(tmp_path, ang_points(), end=end))


@pytest.mark.parametrize(
    "lines",
    [
        ["GRID"],
        ["XSTEP"],
        ["XSTEP", "YSTEP"],
        ["NROWS"],
        ["NCOLS_ODD", "NCOLS_EVEN"],
        ["GRID", "STEP", "NCOLS", "NROWS"],
    ],
)
def test_ang_without_lines_of_its_header_is_read_from_its_coordinates(tmp_path, lines):
    header = "\n".join(line for line in ANG_HEADER.splitlines() if not any(name in line for name in lines))
    found = read_ang(tmp_path, ang_points(), header)
    check_ang(found)
    assert "GRID" in lines or "NCOLS_ODD" in lines or "from the coordinates" in found.meta["grid"] or "STEP" in lines[0]


def test_ang_without_any_header_has_points_and_no_known_symmetry(tmp_path):
    found = read_ang(tmp_path, ang_points(), "")
    check_ang(found)
    assert found.meta["ebsd_phases"] == "" and not found.layers["laue"].any() and found.layers["phase_index"].all()


@pytest.mark.parametrize("header", ["", ANG_HEADER])
def test_ang_with_a_point_left_out_keeps_its_place(tmp_path, header):
    points = ang_points()
    del points[13]
    found = read_ang(tmp_path, points, header)
    assert found.layers["phase_index"].ravel().tolist() == [1] * 13 + [0] + [1] * 10
    assert (found.meta["points_not_indexed"], found.meta["points_left_out"]) == (1, 1)
    assert not found.layers["ignore"].any()  # a gap of one point is one that was not indexed


def test_ang_in_another_order_is_put_in_place(tmp_path):
    points = ang_points()
    np.random.default_rng(0).shuffle(points)
    check_ang(read_ang(tmp_path, points))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NROWS: 4", "NROWS: 0", "rows = 0"),
        ("XSTEP: 0.250000", "XSTEP: 0", "step_x_um = 0"),
        ("NROWS: 4", "NROWS: 5", "24 points .* 6 columns x 5 rows"),
        ("NCOLS_ODD: 6", "NCOLS_ODD: 8", "24 points .* 8 columns x 4 rows"),
        ("XSTEP: 0.250000", "XSTEP: 0.500000", "24 points .* header says .*steps 0.5, 0.25"),
        ("SqrGrid", "HexGrid", "says a hexagonal grid, the points make a square one"),
    ],
)
def test_ang_whose_header_contradicts_its_points_is_refused(tmp_path, old, new, message):
    with pytest.raises(BadItem, match=message):
        read_ang(tmp_path, ang_points(), ANG_HEADER.replace(old, new))


def test_ang_that_lost_whole_rows_is_refused(tmp_path):
    with pytest.raises(BadItem, match=r"18 points .* 6 columns x 4 rows"):
        read_ang(tmp_path, ang_points()[:18])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: [*p[:-1], p[-1][:40]], "point 24 has 4 values of 10"),
        (lambda p: [*p[:5], p[5].replace("1.00000", "abc"), *p[6:]], "abc"),
        (lambda p: [line.replace(" 0   -816", " 7   -816") for line in p], "phase such as 7, and the header lists 1"),
        (lambda p: [line.replace(" 0   -816", " 0.5   -816") for line in p], "not a whole number"),
        (lambda p: [" 200.5 40.2 29.4" + line[30:] for line in p], "look like degrees"),
        (lambda p: [line.rsplit(maxsplit=3)[0] for line in p], "7 columns of 8"),
        (lambda p: [line.replace("0.25000", "nan") for line in p], "no coordinates"),
        (lambda p: [line.replace("1.234", "1,234") for line in p], "commas and points"),
        (lambda p: [], "no points"),
    ],
)
def test_broken_ang_is_refused(tmp_path, change, message):
    with pytest.raises(BadItem, match=message):
        read_ang(tmp_path, change(ang_points()))


def test_ang_with_decimal_commas(tmp_path):
    check_ang(read_ang(tmp_path, [p.replace(".", ",") for p in ang_points()], ANG_HEADER.replace("0.25", "0,25")))


def test_ang_phases_go_by_their_numbers_and_points_with_marks_are_not_indexed(tmp_path):
    header = ANG_HEADER[: ANG_HEADER.index("# Phase")] + TWO_PHASES + ANG_HEADER[ANG_HEADER.index("# GRID") :]
    points = ang_points(phase=2)
    points[0] = points[0].replace("0.500", "-1.000")
    points[1] = " 12.56637  12.56637  12.56637 " + points[1].split(maxsplit=3)[3]
    points[2] = points[2].replace(" 2   -816", " 0   -816")
    points[3] = points[3].replace("1.00000", "nan")
    points[4] = points[4].replace(" 2   -816", " 1   -816")
    found = read_ang(tmp_path, points, header)
    assert found.layers["phase_index"].ravel()[:6].tolist() == [0, 0, 0, 0, 1, 2]
    assert found.layers["laue"].ravel()[:6].tolist() == [0, 0, 0, 0, 11, 9]
    assert not found.layers["euler_rad"][:, 0, :4].any()
    assert found.meta["ebsd_phases"] == "1:Iron-m-3m;2:Titanium-6/mmm" and found.meta["points_not_indexed"] == 4


def test_ang_columns_go_by_their_headers(tmp_path):
    names = "# COLUMN_COUNT: 10\n# COLUMN_HEADERS: phi1, PHI, phi2, x, y, CI, IQ, Fit, Phase index, SEM\n"
    points = []
    for line in ang_points():
        v = line.split()
        points.append(" ".join([*v[:5], v[6], v[5], v[9], v[7], v[8]]))
    check_ang(read_ang(tmp_path, points, ANG_HEADER + names))


@pytest.mark.parametrize("grid", ["GRID: HexGrid", "OTHER: x"])
def test_hexagonal_ang_is_resampled_to_the_nearest_point(tmp_path, grid):
    header = ANG_HEADER.replace("GRID: SqrGrid", grid).replace("XSTEP: 0.250000", "XSTEP: 0.5")
    header = header.replace("YSTEP: 0.250000", "YSTEP: 0.433013").replace("NCOLS_EVEN: 6", "NCOLS_EVEN: 5")
    points = hexagonal_points()
    found = read_ang(tmp_path, points, header.replace("NROWS: 4", "NROWS: 5"))
    xy = np.array([line.split()[3:5] for line in points], float)
    size = found.pixel_size_um
    assert size == pytest.approx(0.5 * np.sqrt(3) / 2, rel=1e-4) and found.pixels.shape == (5, 6)
    assert "hexagonal" in found.meta["grid"] and "nearest neighbour" in found.meta["grid"]
    for row, column in np.ndindex(found.pixels.shape):
        distance = np.hypot(*(xy - [column * size, row * size]).T)
        chosen = round(float(found.pixels[row, column]) / 10)
        assert distance[chosen] <= distance.min() + 1e-4


def test_hexagonal_ang_that_lost_points_is_refused(tmp_path):
    header = (
        ANG_HEADER.replace("SqrGrid", "HexGrid")
        .replace("NCOLS_EVEN: 6", "NCOLS_EVEN: 5")
        .replace("XSTEP: 0.25", "XSTEP: 0.5")
    )
    with pytest.raises(BadItem, match=r"27 points .* 28 points, of which 1 are missing|27 points"):
        read_ang(tmp_path, hexagonal_points()[:-1], header.replace("NROWS: 4", "NROWS: 5"))


def test_square_ang_of_unequal_steps_has_both(tmp_path):
    points = [p.split() for p in ang_points()]
    stretched = [" ".join([*v[:4], f"{2 * float(v[4]):.5f}", *v[5:]]) for v in points]
    found = read_ang(tmp_path, stretched, ANG_HEADER.replace("YSTEP: 0.25", "YSTEP: 0.50"))
    assert found.spacing_um == (0.5, 0.25) and (found.meta["step_x_um"], found.meta["step_y_um"]) == (0.25, 0.5)


@pytest.mark.parametrize("reader", ["ang", "ctf", "cpr", "h5oina"])
def test_maps_larger_than_allowed_are_refused(tmp_path, reader):
    paths = {
        "cpr": write_crc(tmp_path),
        "h5oina": write_h5oina(tmp_path / "map.h5oina"),
        "ang": write_ang(tmp_path, ang_points()),
    }
    read_ctf(tmp_path, ctf_points())
    path = paths.get(reader, tmp_path / "map.ctf")
    function = {"ang": ang, "ctf": ctf, "cpr": crc, "h5oina": h5oina}[reader].read
    with pytest.raises(BadItem, match="max_pixels"):
        function(path, max_pixels=10)


def check_ctf(found, phase=1):
    numbers = np.arange(24).reshape(4, 6)
    np.testing.assert_array_equal(found.pixels, numbers + 80)
    np.testing.assert_allclose(np.degrees(found.layers["euler_rad"][0]), numbers + 100.5, rtol=1e-6)
    np.testing.assert_allclose(np.degrees(found.layers["euler_rad"][1:, 0, 0]), [40.207, 29.394], rtol=1e-6)
    np.testing.assert_allclose(found.layers["mad_deg"], 0.6, rtol=1e-6)
    assert (found.layers["phase_index"] == phase).all() and (found.layers["laue"] == (9, 11)[phase - 1]).all()
    assert found.pixel_size_um == 0.5 and (found.intensity_low, found.intensity_high) == (0, 255)
    assert found.meta["ebsd_phases"] == "1:Zirc-alloy4-6/mmm;2:Iron bcc-m-3m"
    assert (found.meta["beam_energy_kev"], found.meta["magnification"]) == (15, 200)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_ctf_with_latin_letters_and_blank_lines_at_its_end(tmp_path, end):
    check_ctf(read_ctf(tmp_path, [*ctf_points(phase=2), "", "   ", ""], end=end), phase=2)


def test_ctf_of_a_european_machine_has_decimal_commas(tmp_path):
    header = (
        CTF_HEADER.replace("0.5", "0,5").replace("3.231", "3,231").replace("5.148", "5,148").replace("2.866", "2,866")
    )
    check_ctf(read_ctf(tmp_path, [p.replace(".", ",") for p in ctf_points()], header))


def test_ctf_columns_go_by_their_names(tmp_path):
    names = "BC\tEuler3\tY\tMAD\tEuler1\tX\tPhase\tBS\tEuler2"
    columns = CTF_HEADER.splitlines()[-1].split("\t")
    order = [columns.index(name) for name in names.split("\t")]
    points = ["\t".join(np.array(p.split("\t"))[order]) for p in ctf_points()]
    header = CTF_HEADER.replace("\t".join(columns), names)
    check_ctf(read_ctf(tmp_path, points, header))


def test_ctf_without_cells_is_read_from_its_coordinates(tmp_path):
    check_ctf(read_ctf(tmp_path, ctf_points(), CTF_HEADER.replace("XCells\t6\n", "").replace("XStep\t0.5\n", "")))


def test_ctf_of_a_large_map_whose_coordinates_have_five_digits(tmp_path):
    """Oxford writes 1000.05 as 1000.1; the reading order tells where the point is."""
    columns, rows = 21000, 2
    header = (
        CTF_HEADER.replace("XCells\t6", f"XCells\t{columns}")
        .replace("YCells\t4", f"YCells\t{rows}")
        .replace("0.5", "0.05")
    )
    points = [
        f"1\t{n % columns * 0.05:#.5g}\t{n // columns * 0.05:#.5g}\t8\t0\t{n % 300}.5"
        f"\t40.207\t29.394\t0.6\t{n % 200}\t7"
        for n in range(columns * rows)
    ]
    found = read_ctf(tmp_path, points, header)
    np.testing.assert_array_equal(found.pixels, (np.arange(columns * rows) % 200).reshape(rows, columns))


@pytest.mark.parametrize(
    ("header", "points", "message"),
    [
        (lambda h: h, lambda p: p[:-3], "21 points .* 24 points, of which 3 are missing"),
        (lambda h: h, lambda p: [*p, p[-1]], "25 points .* 6 columns x 4 rows"),
        (lambda h: h.replace("XCells\t6", "XCells\t0"), lambda p: p, "columns = 0"),
        (lambda h: h.replace("YCells\t4", "YCells\t-4"), lambda p: p, "rows = -4"),
        (
            lambda h: h,
            lambda p: [line.replace("1\t", "3\t", 1) for line in p],
            "phase such as 3, and the header lists 1, 2",
        ),
        (lambda h: h.replace("Euler2\t", "Foo\t"), lambda p: p, "no column euler2"),
        (lambda h: h[: h.index("Phase\tX")], lambda p: p, "no line names the columns"),
        (lambda h: h.replace("Phases\t2", "Phases\t1"), lambda p: p, "announces 1 phases and lists 2"),
        (lambda h: h.replace("Phases\t2", "Phases\t4"), lambda p: p, "announces 4 phases and lists 2"),
        (lambda h: h, lambda p: [*p[:-1], p[-1][:30]], "point 24 has 7 values of 11"),
        (lambda h: h, lambda p: [line.rsplit("\t", 1)[0] for line in p], "10 columns of 11"),
        (lambda h: h, lambda p: [p[0].replace("0.6000", "0,6000"), *p[1:]], "commas and points"),
        (lambda h: h, lambda p: [], "no points"),
    ],
)
def test_broken_ctf_is_refused(tmp_path, header, points, message):
    with pytest.raises(BadItem, match=message):
        read_ctf(tmp_path, points(ctf_points()), header(CTF_HEADER))


def test_ctf_with_radians_is_refused(tmp_path):
    header = CTF_HEADER.replace("XCells\t6", "XCells\t20").replace("YCells\t4", "YCells\t10")
    points = []
    for n, line in enumerate(ctf_points(20, 10)):
        v = line.split("\t")
        points.append("\t".join([*v[:5], f"{n / 200 * 6.28:.4f}", "1.2000", "0.3000", *v[8:]]))
    with pytest.raises(BadItem, match="look like radians"):
        read_ctf(tmp_path, points, header)


def test_ctf_angles_that_are_nan_are_not_indexed(tmp_path):
    points = ctf_points()
    points[5] = points[5].replace("40.207", "NaN")
    found = read_ctf(tmp_path, points)
    assert found.layers["phase_index"].ravel()[5] == 0 and found.meta["points_not_indexed"] == 1
    assert np.isfinite(found.layers["euler_rad"]).all()


def test_crc_records_follow_the_fields_of_the_cpr(tmp_path):
    found = crc.read(write_crc(tmp_path), max_pixels=LARGE)
    numbers = np.arange(15).reshape(3, 5)
    np.testing.assert_array_equal(found.pixels, numbers)
    np.testing.assert_allclose(found.layers["euler_rad"][0], numbers / 10, atol=1e-6)
    assert found.meta["beam_energy_kev"] == 20 and found.meta["magnification"] == 800
    assert found.meta["ebsd_phases"] == "1:Ni-superalloy-m-3m" and (found.layers["laue"] == 11).all()


def test_crc_is_found_whatever_the_case_and_commas_are_understood(tmp_path):
    header = CPR.replace("0.1200", "0,1200").replace("20.00", "20,00")
    path = write_crc(tmp_path, header, names=("map.CPR", "MAP.Crc"))
    found = crc.read(path, max_pixels=LARGE)
    assert found.pixel_size_um == pytest.approx(0.12) and found.meta["beam_energy_kev"] == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 14}, "cut short: 266 bytes are 14 of 15 points of 19 bytes"),
        ({"more": b"\0"}, "longer than its header says"),
        ({"header": CPR.replace("Count=6", "Count=5")}, "longer than its header says"),
        ({"header": CPR.replace("xCells=5", "xCells=0")}, "columns = 0"),
        ({"header": CPR.replace("xCells=5\n", "")}, "no xCells"),
        ({"header": CPR.replace("Field1=3\n", "")}, "Fields.* incomplete"),
        ({"header": CPR.replace("Field1=3", "Field1=4")}, "twice"),
        ({"header": CPR.replace("Field3=5", "Field3=12")}, "no phi2"),
        ({"header": CPR.replace("[Phase1]", "[Other]")}, "no .Phase1"),
        ({"phase": 2}, "phase such as 2, and the header lists 1"),
        ({"euler": 350.0}, "look like degrees"),
    ],
)
def test_broken_crc_is_refused(tmp_path, options, message):
    with pytest.raises(BadItem, match=message):
        crc.read(write_crc(tmp_path, **options), max_pixels=LARGE)


def test_cpr_without_its_crc_is_refused(tmp_path):
    path = write_crc(tmp_path)
    (tmp_path / "map.crc").unlink()
    with pytest.raises(BadItem, match=r"map.crc is missing next to map.cpr"):
        crc.read(path, max_pixels=LARGE)


def test_h5oina_by_its_specification(tmp_path):
    euler = np.stack([np.arange(15) / 10, np.ones(15), np.full(15, 0.5)], axis=1).astype(np.float32)
    euler[14] = np.nan
    phase = np.ones((15, 1), np.uint8)
    phase[13] = 0
    path = write_h5oina(tmp_path / "map.h5oina", Euler=euler, Phase=phase)
    found = readers.read(str(path), max_pixels=LARGE)
    numbers = np.arange(15).reshape(3, 5)
    np.testing.assert_array_equal(found.pixels, numbers)
    np.testing.assert_allclose(found.layers["euler_rad"][0].ravel()[:13], numbers.ravel()[:13] / 10, atol=1e-6)
    np.testing.assert_allclose(found.layers["mad_deg"], 0.5, rtol=1e-5)
    assert found.layers["phase_index"].ravel().tolist() == [1] * 13 + [0, 0]
    assert found.meta["points_not_indexed"] == 2 and found.meta["ebsd_phases"] == "1:Iron bcc-m-3m"
    assert found.pixel_size_um == pytest.approx(0.2) and found.meta["beam_energy_kev"] == 20


def test_h5oina_without_band_contrast_shows_what_is_indexed(tmp_path):
    found = h5oina.read(write_h5oina(tmp_path / "map.h5oina", drop=("Band Contrast",)), max_pixels=LARGE)
    assert (found.pixels == 255).all() and "no quality" in found.meta["quality_map"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"Phase": np.ones((14, 1), np.uint8)}, "'Phase' has 14 points of 15"),
        ({"drop": ("Euler",)}, "no 'Euler'"),
        ({"drop": ("X Cells",)}, "line scan or has no cells"),
        ({"columns": 15, "rows": 1, "step_y": 0.0}, "line scan"),
        ({"slices": ("1", "2")}, "2 EBSD maps"),
        ({"slices": ()}, "no EBSD map; export its electron images"),
        ({"Phase": np.full((15, 1), 9, np.uint8)}, "phase such as 9"),
        ({"Euler": np.full((15, 3), 120.0, np.float32)}, "look like degrees"),
    ],
)
def test_broken_h5oina_is_refused(tmp_path, options, message):
    with pytest.raises(BadItem, match=message):
        h5oina.read(write_h5oina(tmp_path / "map.h5oina", **options), max_pixels=LARGE)


def test_h5oina_cut_short_is_refused(tmp_path):
    path = write_h5oina(tmp_path / "map.h5oina")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(BadItem, match="HDF5"):
        h5oina.read(path, max_pixels=LARGE)


def test_binary_under_the_name_of_a_text_is_refused(tmp_path):
    (tmp_path / "map.ang").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(BadItem, match="not text"):
        ang.read(tmp_path / "map.ang", max_pixels=LARGE)
