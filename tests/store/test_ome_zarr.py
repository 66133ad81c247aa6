"""Exported folders are OME-NGFF 0.5: the requirements of the specification, read with zarr alone."""

import numpy as np
import pytest
import zarr
from matlens.store import io, ome_zarr


@pytest.mark.parametrize(
    "item", ["../../etc/passwd", "", "..", "/", "a" * 999, "日本", "C:\\x", "a\x00b\n", "-rf", ".hidden", "con%2f.."]
)
def test_a_folder_name_never_leaves_its_folder(item, tmp_path):
    name = ome_zarr.folder_name(3, item)
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert name.startswith("00000003_") and name.endswith(".ome.zarr") and len(name) < 128
    (tmp_path / name).mkdir()


def test_two_items_that_look_alike_have_two_folders():
    assert ome_zarr.folder_name(1, "a/b") != ome_zarr.folder_name(2, "a_b")


def test_a_pyramid_of_an_image_keeps_its_mean_and_one_of_labels_its_values():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60_000, (1100, 2048)).astype(np.uint16)
    levels = ome_zarr.pyramid(image, "yx")
    assert [level.shape for level in levels] == [(1100, 2048), (550, 1024), (275, 512)]
    assert all(level.dtype == np.uint16 for level in levels)
    assert levels[1][3, 4] == np.rint(image[6:8, 8:10].mean())
    assert levels[2].mean() == pytest.approx(image.mean(), rel=1e-3)
    labels = ome_zarr.pyramid((image > 30_000).astype(np.int32) * 70_001, "yx", labels=True)
    assert [level.shape for level in labels] == [level.shape for level in levels]
    assert set(np.unique(labels[2])) == {0, 70_001}


def test_odd_edges_round_up_and_single_planes_stay():
    assert [level.shape for level in ome_zarr.pyramid(np.zeros((3, 1, 1025)), "tyx")] == [
        (3, 1, 1025),
        (3, 1, 513),
        (3, 1, 257),
    ]
    edge = ome_zarr.pyramid(np.arange(1025, dtype=np.float32)[None].repeat(2, 0), "yx")[1]
    assert edge[0, -1] == 1024  # the last pixel stands alone


@pytest.fixture
def exported(tmp_path):
    image = np.arange(600 * 1030, dtype=np.float32).reshape(600, 1030)
    labels = np.zeros((600, 1030), np.uint8)
    labels[100:200] = 2
    attrs = {"item": "<b>../x", "pixel_size_um": 0.25, "axes": "yx"}
    regions = labels.astype(np.int32) * 1000
    ome_zarr.write(
        tmp_path / "x.ome.zarr", image, "yx", attrs, {"otsu": labels, "truth": regions}, ["#0072B2", "#E69F00"]
    )
    return zarr.open_group(tmp_path / "x.ome.zarr", mode="r"), image, labels


def check_multiscales(group, axes, edge):
    """Hold a group against the parts of the specification that a reader relies on."""
    found = group.attrs["ome"]
    assert found["version"] == "0.5"
    (scales,) = found["multiscales"]
    assert [axis["name"] for axis in scales["axes"]] == list(axes)
    assert {axis["type"] for axis in scales["axes"]} == {"space"}
    assert {axis["unit"] for axis in scales["axes"]} == {"micrometer"}
    for depth, dataset in enumerate(scales["datasets"]):
        array = group[dataset["path"]]
        assert array.metadata.zarr_format == 3
        assert array.metadata.dimension_names == tuple(axes)
        scale, *shift = dataset["coordinateTransformations"]
        assert scale == {"type": "scale", "scale": [edge * 2**depth] * len(axes)}
        expected = edge * (2**depth - 1) / 2
        assert [move["translation"] for move in shift] == ([[expected] * len(axes)] if depth else [])
    shapes = [group[dataset["path"]].shape for dataset in scales["datasets"]]
    assert shapes == sorted(shapes, reverse=True) and max(shapes[-1]) <= 512


def test_an_image_is_a_multiscale_with_labels_beside_it(exported):
    root, image, labels = exported
    check_multiscales(root, "yx", 0.25)
    assert (root["0"][...] == image).all()
    assert root.attrs["ome"]["multiscales"][0]["name"] == "<b>../x"
    assert root["labels"].attrs["ome"] == {"version": "0.5", "labels": ["otsu", "truth"]}
    for name in ("otsu", "truth"):
        check_multiscales(root[f"labels/{name}"], "yx", 0.25)
        about = root[f"labels/{name}"].attrs["ome"]["image-label"]
        assert about["source"] == {"image": "../../"}
        assert root[f"labels/{name}/0"].dtype.kind in "iu"
    assert root["labels/otsu"].attrs["ome"]["image-label"]["colors"] == [{"label-value": 2, "rgba": [230, 159, 0, 255]}]
    assert (root["labels/otsu/0"][...] == labels).all()


def test_without_a_pixel_size_there_is_no_unit(tmp_path):
    attrs = {"item": "x", "pixel_size_um": None, "axes": "tyx"}
    ome_zarr.write(tmp_path / "x.ome.zarr", np.zeros((2, 4, 4), np.uint8), "tyx", attrs, {}, [])
    root = zarr.open_group(tmp_path / "x.ome.zarr", mode="r")
    (scales,) = root.attrs["ome"]["multiscales"]
    assert scales["axes"] == [
        {"name": "t", "type": "time"},
        {"name": "y", "type": "space"},
        {"name": "x", "type": "space"},
    ]
    assert "labels" not in root


def test_each_axis_has_its_own_scale(tmp_path):
    attrs = {"item": "x", "pixel_size_um": 0.1, "spacing_um": [0.5, 0.2, 0.1]}
    stack = np.zeros((3, 4, 600), np.uint8)
    ome_zarr.write(tmp_path / "x.ome.zarr", stack, "zyx", attrs, {"otsu": stack}, ["#e69f00"])
    root = zarr.open_group(tmp_path / "x.ome.zarr", mode="r")
    for group in (root, root["labels/otsu"]):
        first, second = group.attrs["ome"]["multiscales"][0]["datasets"]
        assert first["coordinateTransformations"] == [{"type": "scale", "scale": [0.5, 0.2, 0.1]}]
        scale, shift = second["coordinateTransformations"]
        assert scale["scale"] == [1.0, 0.4, 0.2] and shift["translation"] == [0.25, 0.1, 0.05]
    attrs["spacing_um"][0] = None
    with io.write_arrays(tmp_path / "a.zarr.zip") as out:
        out.add(0, stack, "zyx", attrs)
    with io.read_arrays(tmp_path / "a.zarr.zip") as arrays:
        (scales,) = arrays._root["00000000"].attrs["ome"]["multiscales"]
        assert arrays.attrs(0)["spacing_um"] == [None, 0.2, 0.1]
    assert [axis.get("unit") for axis in scales["axes"]] == [None, "micrometer", "micrometer"]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [1.0, 0.2, 0.1]
