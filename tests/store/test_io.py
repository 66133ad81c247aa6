"""Writes are atomic, equal content is equal bytes, and a foreign reader opens what we write."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import zarr
from matlens import columns
from matlens.store import io
from matlens.store.arrays import _chunks


def images(count=3):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (40 + k, 50), dtype=np.uint8) for k in range(count)]


def write(path, pictures, pixel_size_um=0.5):
    with io.write_arrays(path, "lz4") as out:
        for key, picture in enumerate(pictures):
            attrs = {"item": f"i{key}", "pixel_size_um": pixel_size_um, "intensity_low": 0, "intensity_high": 255}
            out.add(key, picture, "yx", attrs, {"euler_rad": np.zeros((3, *picture.shape), np.float32)})


def test_a_block_that_fails_leaves_neither_file_nor_trace(tmp_path):
    target = tmp_path / "a" / "x.txt"
    io.write_text(target, "old")
    with pytest.raises(KeyboardInterrupt), io.atomic(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["x.txt"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".[x].txt.77.partial").write_text("ha")
    (tmp_path / ".x.txt.77.partial").write_text("another file's")
    io.sweep([tmp_path / "[x].txt"])
    assert [path.name for path in tmp_path.iterdir()] == [".x.txt.77.partial"]


def test_arrays_come_back_with_layers_and_attributes(tmp_path):
    pictures = images()
    write(tmp_path / "s.zarr.zip", pictures)
    with io.read_arrays(tmp_path / "s.zarr.zip") as arrays:
        assert list(arrays) == [0, 1, 2]
        for key, picture in enumerate(pictures):
            np.testing.assert_array_equal(arrays[key], picture)
            np.testing.assert_allclose(arrays.unit_interval(key), picture / 255.0, atol=1e-7)
        assert arrays.attrs(1)["item"] == "i1"
        assert arrays.layers(0, ["euler_rad", "image"])["euler_rad"].shape == (3, 40, 50)
        assert arrays.get(9) is None


def test_equal_content_is_equal_to_the_byte(tmp_path):
    write(tmp_path / "a.zarr.zip", images())
    write(tmp_path / "b.zarr.zip", images())
    assert (tmp_path / "a.zarr.zip").read_bytes() == (tmp_path / "b.zarr.zip").read_bytes()


def test_each_item_is_an_ome_ngff_image_for_a_foreign_reader(tmp_path):
    write(tmp_path / "s.zarr.zip", images())
    group = zarr.open_group(zarr.storage.ZipStore(tmp_path / "s.zarr.zip", mode="r"), mode="r")["00000001"]
    scales = group.attrs["ome"]["multiscales"][0]
    assert group.attrs["ome"]["version"] == "0.5"
    assert [axis["unit"] for axis in scales["axes"]] == ["micrometer", "micrometer"]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.5, 0.5]
    assert group[scales["datasets"][0]["path"]].shape == (41, 50)


def test_an_unknown_pixel_size_is_no_unit(tmp_path):
    write(tmp_path / "s.zarr.zip", images(1), pixel_size_um=None)
    group = zarr.open_group(zarr.storage.ZipStore(tmp_path / "s.zarr.zip", mode="r"), mode="r")["00000000"]
    assert all("unit" not in axis for axis in group.attrs["ome"]["multiscales"][0]["axes"])


def test_big_images_are_tiled_and_volumes_bricked():
    assert _chunks((5000, 300), "yx") == (2048, 300)
    assert _chunks((10, 400, 400), "zyx") == (10, 128, 128)
    assert _chunks((10, 400, 400), "tyx") == (1, 400, 400)


def test_shards_in_order_are_the_whole_table():
    table = pd.DataFrame({"item": [str(n) for n in range(10)]})
    for shards in (1, 3, 10, 17):
        parts = [row["item"] for shard in range(shards) for row in io.shard_rows(table, shard, shards)]
        assert parts == table["item"].tolist()


def test_rejected_has_its_columns_without_rows(tmp_path):
    io.write_rejected(tmp_path / "r.parquet", [])
    assert list(io.read_table(tmp_path / "r.parquet").columns) == [columns.ITEM, columns.STAGE, columns.REASON]


def test_an_item_called_nan_stays_text(tmp_path):
    io.write_csv(tmp_path / "t.csv", pd.DataFrame({"item": ["nan", "007", "NA"], "area_px2": [1.0, 2.0, None]}))
    assert io.read_csv(tmp_path / "t.csv")["item"].tolist() == ["nan", "007", "NA"]


def test_concatenate_keeps_columns_of_an_empty_study():
    empty = pd.DataFrame({"item": pd.Series(dtype=str)})
    assert list(io.concatenate([empty, empty]).columns) == ["item"]
    assert len(io.concatenate([empty, pd.DataFrame({"item": ["a"], "x": [1]})])) == 1


def test_a_name_that_a_spreadsheet_would_run_is_text_there_and_itself_here(tmp_path):
    harmful = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "\t=1", "'=1+1", "''=1"]
    plain = ["-rf", "-1.5", "+5", "a=b", "'quoted'", "", "x"]
    names = [*harmful, *plain]
    io.write_csv(tmp_path / "a.csv", pd.DataFrame({"item": names, "group": names, "reason": [None, *names[1:]]}))
    raw = pd.read_csv(tmp_path / "a.csv", keep_default_na=False, quotechar='"')
    assert list(raw["item"]) == [*(f"'{name}" for name in harmful), *plain]
    assert raw["reason"][1] == "'@SUM(A1)"
    assert raw["reason"][0] == ""
    for found in (io.read_csv(tmp_path / "a.csv"), next(io.read_csv_parts(tmp_path / "a.csv"))):
        assert list(found["item"]) == list(found["group"]) == names


def test_packed_json_may_not_swell_and_no_json_may_overflow_the_stack(tmp_path):
    import gzip

    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'{"a": [1, 2]}'))
    assert io.read_json(tmp_path / "a.json.gz") == {"a": [1, 2]}
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(b" " * (160 << 20)))
    with pytest.raises(ValueError, match="decompression bomb"):
        io.read_json(tmp_path / "bomb.json.gz")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested"):
        io.read_json(tmp_path / "deep.json")


def test_a_picture_of_an_image_larger_than_memory_keeps_no_band_of_it(tmp_path):
    bands = (np.full((2048, 4000), number, np.uint8) for number in range(6))
    with io.write_arrays(tmp_path / "a.zip") as out:
        out.add_bands(0, bands, (6 * 2048, 4000), "yx", {"item": "a", "pixel_size_um": None})
    with io.read_arrays(tmp_path / "a.zip") as arrays:
        tracemalloc.start()
        found = arrays.thinned(0, 10_000)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert sorted(np.unique(found)) == list(range(6))
    assert found.size <= 10_000
    assert most < 4 * 2048 * 4000
