"""Images and volumes cut into blocks: nothing moves, nothing is lost silently, parents are never divided."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from matlens.ingest import blocks, catalog, files, lazy_arrays, sheet
from matlens.job.batch import BadItem
from matlens.plan.index_checks import columns_given
from matlens.store import io
from scripts import ingest, ingest_plan

PHASES = ["grain", "pore"]


def volume(path, shape=(9, 21, 34), seed=0):
    """Save a volume of two phases, and return its labels."""
    labels = (np.random.default_rng(seed).random(shape) > 0.7).astype(np.uint8)
    labels[0, 0, :2] = (0, 1)
    tifffile.imwrite(path, labels * np.uint8(200) + np.uint8(20), photometric="minisblack")
    return labels


def run(folder, options, method="files", phases=PHASES):
    """Plan and read all items; returns the index, the rejected rows, and the arrays of images and truth by item."""
    paths = {name: folder / f"{name}.zarr.zip" for name in ("images", "truth")}
    paths["truth_objects"] = folder / "o.parquet"
    tables = {name: folder / f"{name}.parquet" for name in ("plan", "lost", "index", "rejected")}
    ingest_plan.main(method, options, tables["plan"], tables["lost"])
    given = {name: str(path) for name, path in paths.items()}
    ingest.main(tables["plan"], "images", method, options, phases, "0", "1", given, tables["index"], tables["rejected"])
    index = io.read_table(tables["index"]).set_index("item")
    lost = pd.concat([io.read_table(tables["lost"]), io.read_table(tables["rejected"])])
    with io.read_arrays(paths["images"]) as images, io.read_arrays(paths["truth"]) as truth:
        made = {images.attrs(k)["item"]: (np.array(images[k]), np.array(truth[k]) if k in set(truth) else None,
                                          dict(images.attrs(k))) for k in images}  # fmt: skip
    return index, lost, made


def test_blocks_are_the_parts_of_their_parent_and_carry_its_scale_range_and_group(tmp_path):
    (tmp_path / "masks").mkdir()
    whole = volume(tmp_path / "rock.tif")
    tifffile.imwrite(tmp_path / "masks" / "rock.tif", whole)
    options = {"path": str(tmp_path / "*.tif"), "masks": str(tmp_path / "masks"), "stack": "z", "block_px": [4, 10, 16],
               "spacing_um": [3.0, 2.0, 1.0]}  # fmt: skip
    index, lost, made = run(tmp_path, options)
    assert len(lost) == 0 and len(made) == 2 * 2 * 2
    assert list(index.index) == sorted(index.index) and "rock_z4_y10_x16" in made
    for item, row in index.iterrows():
        z, y, x = (int(row[f"block_{axis}_px"]) for axis in "zyx")
        pixels, truth, attrs = made[item]
        assert np.array_equal(truth, whole[z : z + 4, y : y + 10, x : x + 16])
        assert np.array_equal(pixels, truth * 200 + 20)
        assert (attrs["intensity_low"], attrs["intensity_high"]) == (0, 255) and attrs["spacing_um"] == [3, 2, 1]
    assert set(index["parent_item"]) == set(index["group"]) == {"rock"}
    assert np.allclose(index["parent_unused_part"], 1 - 8 * 20 * 32 / (9 * 21 * 34))
    assert set(index["height_px"]) == {10} and set(index["depth_px"]) == {4}
    assert (index["same_as"].fillna("") == "").all() if "same_as" in index else True


def test_two_parents_with_a_group_of_their_own_and_one_that_is_too_small(tmp_path, capsys):
    for name, shape in (("s1_a", (8, 20, 20)), ("s2_b", (8, 20, 20)), ("s2_c", (3, 20, 20))):
        volume(tmp_path / f"{name}.tif", shape, seed=ord(name[-1]))
    (tmp_path / "torn.tif").write_bytes(b"II*\0")
    options = {"path": str(tmp_path / "*.tif"), "stack": "z", "block_px": [4, 16, 16], "group": "^(s1|s2|torn)"}
    index, lost, made = run(tmp_path, options)
    assert len(made) == 4 and set(index["group"]) == {"s1", "s2"} and set(index["parent_item"]) == {"s1_a", "s2_b"}
    reasons = lost.set_index("item")["reason"]
    assert set(reasons.index) == {"s2_c", "torn"}
    assert "3 x 20 x 20 pixels, and a block 4 x 16 x 16" in reasons["s2_c"]
    assert "2 blocks; 36.0% of its 8 x 20 x 20 pixels are behind" in capsys.readouterr().out


def test_the_most_blocks_are_spread_over_the_volume(tmp_path):
    volume(tmp_path / "rock.tif", (16, 32, 32))
    options = {"path": str(tmp_path / "rock.tif"), "stack": "z", "block_px": [8, 8, 8], "most_blocks": 3}
    index, _, made = run(tmp_path, options)
    assert len(made) == 3
    starts = index[["block_z_px", "block_y_px", "block_x_px"]].to_numpy()
    assert starts.min() == 0 and tuple(starts.max(axis=0)) == (8, 24, 24)


def test_frames_of_a_video_and_flat_images_are_cut_along_y_and_x(tmp_path):
    whole = volume(tmp_path / "video.tif", (5, 20, 24))
    index, _, made = run(tmp_path, {"path": str(tmp_path / "video.tif"), "stack": "t", "block_px": [10, 12]})
    assert len(made) == 4 and set(index["frames"]) == {5}
    assert np.array_equal(made["video_y10_x12"][0], whole[:, 10:20, 12:24] * 200 + 20)
    _, lost, made = run(tmp_path, {"path": str(tmp_path / "video.tif"), "stack": "z", "block_px": [10, 12]})
    assert not made and "it has the axes z, y, x, and block_px 2 numbers" in lost["reason"].iloc[0]


def test_masks_of_regions_unmeasured_pixels_and_layers_are_cut_too(tmp_path):
    rng = np.random.default_rng(1)
    image, regions = rng.integers(0, 255, (40, 40), np.uint8), np.kron(np.arange(1, 5).reshape(2, 2), np.ones((20, 20)))
    tifffile.imwrite(tmp_path / "a.tif", image)
    (tmp_path / "m").mkdir()
    tifffile.imwrite(tmp_path / "m" / "a.tif", regions.astype(np.uint16))
    options = {"path": str(tmp_path / "a.tif"), "masks": str(tmp_path / "m"), "masks_are": "regions",
               "exclude": [0, 0, 40, 25], "block_px": [20, 20]}  # fmt: skip
    index, lost, made = run(tmp_path, options)
    assert set(made) == {"a_y00_x20", "a_y20_x20"}
    assert np.array_equal(np.unique(made["a_y00_x20"][1]), [-1, 2]) and set(index["ignored_px"]) == {100}
    assert lost["reason"].str.contains("no pixel of the block is measured").sum() == 2


def test_a_parent_is_read_once_for_all_its_blocks():
    calls = []

    def read(item):
        calls.append(item["file"])
        if item["file"] == "bad":
            raise BadItem("torn")
        return blocks.Micrograph(np.arange(64.0).reshape(8, 8))

    reader = blocks.Reader(read, [4, 4])
    for file in ("a", "b", "bad", "bad"):
        for k in range(2):
            try:
                found = reader({"key": k, "item": f"{file}{k}", "file": file, "block_y_px": 4 * k, "block_x_px": 0})
            except BadItem:
                continue
            assert found.pixels[0, 0] == 32 * k
    assert calls.count("a") == calls.count("b") == 1


def test_an_array_that_stays_in_its_file_is_cut_in_bands(tmp_path, monkeypatch):
    whole = np.random.default_rng(0).integers(0, 99, (7, 6, 5)).astype(np.uint16)
    whole.tofile(tmp_path / "raw")
    parts = lazy_arrays.in_file(str(tmp_path / "raw"), 0, whole.shape, np.uint16)
    monkeypatch.setattr(blocks, "PART_BYTES", 100)
    found = blocks.cut(blocks.Micrograph(parts, "zyx"), {"block_z_px": 2, "block_y_px": 3, "block_x_px": 1}, [4, 3, 2])
    assert np.array_equal(found.pixels, whole[2:6, 3:6, 1:3])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"most_blocks": 3}, "most_blocks is for the option block_px"),
        ({"block_px": [4, 64]}, "below the shortest side allowed, 8"),
        ({"block_px": [16, 16], "objects": "x.json"}, "annotated objects are not divided"),
    ],
)
def test_settings_that_contradict_each_other_stop_the_run(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        files.check(PHASES, **options)
    if "objects" not in options:
        (tmp_path / "s.csv").write_text("file\na.tif\n")
        with pytest.raises(ValueError, match=words):
            sheet.check(PHASES, path=str(tmp_path / "s.csv"), **options)


def test_a_sheet_is_cut_and_its_columns_go_with_every_block(tmp_path):
    volume(tmp_path / "rock.tif", (8, 16, 16))
    (tmp_path / "s.csv").write_text("file,split,pixel_size_um,depth_m\nrock.tif,train,2.5,70\nnone.tif,test,1,2\n")
    options = {"path": str(tmp_path / "s.csv"), "stack": "z", "block_px": [8, 8, 8]}
    index, lost, made = run(tmp_path, options, "sheet")
    assert len(made) == 4 and set(index["split"]) == {"train"} and set(index["depth_m"]) == {70.0}
    assert set(index["pixel_size_um"]) == {2.5} and list(lost["item"]) == ["none"]
    assert "group" in sheet.columns_of(path=options["path"], block_px=[8, 8, 8])
    studies = {"a": {"ingest": {"files": {"path": "x", "block_px": [8, 8]}, "shards": 1}}}
    assert columns_given(studies, "a") == ["group"]


def test_a_set_of_the_catalogue_is_cut(data, tmp_path):
    data("micrographs/porous3d")
    rows = catalog.plan(set="porous3d", parts=blocks.Blocks(block_px=[128, 128, 128]))
    assert len(rows) == 27 and np.allclose(rows["parent_unused_part"], 1 - (384 / 400) ** 3)
    assert set(rows["group"]) == {"berea"}
