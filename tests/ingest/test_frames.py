"""Videos in containers of other programs, and pages that are no frames of one video."""

import cv2
import h5py
import numpy as np
import pytest
import tifffile
from matlens.ingest import files
from matlens.job.batch import BadItem

FRAMES = np.repeat(np.arange(5, dtype=np.uint8)[:, None, None] * 40, 48 * 64, 0).reshape(5, 48, 64)


def read(folder, **options):
    (row,) = files.plan(path=str(folder)).to_dict("records")
    return files.read(row, ["a", "b"], crop_bars=False, **options)


@pytest.mark.parametrize("name", ["v.mkv", "v.mov", "v.mp4", "v.avi"])
def test_frames_of_every_container_stay_in_their_order(tmp_path, name):
    writer = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter_fourcc(*"mp4v"), 5, (64, 48))
    for frame in FRAMES:
        writer.write(cv2.merge([frame] * 3))
    writer.release()
    found = read(tmp_path)
    assert found.axes == "tyx" and found.pixels.shape == FRAMES.shape
    assert (np.diff(np.asarray(found.pixels, float).mean((1, 2))) > 0).all()


@pytest.mark.parametrize("second", [np.zeros((40, 60), np.uint8), np.zeros((48, 64), np.uint16)])
def test_pages_of_two_sizes_or_types_are_no_frames(tmp_path, second):
    with tifffile.TiffWriter(tmp_path / "v.tif") as file:
        file.write(FRAMES[1] + np.arange(64, dtype=np.uint8))
        file.write(second)
    with pytest.raises(BadItem, match="no frames of one video"):
        read(tmp_path, stack="t")
    assert read(tmp_path).meta["other_signals"] == 1


def test_slices_of_imagej_are_frames_where_the_study_says_so(tmp_path):
    tifffile.imwrite(tmp_path / "v.tif", FRAMES[None], imagej=True, metadata={"axes": "TZYX"})
    assert read(tmp_path).axes == "zyx"
    found = read(tmp_path, stack="t")
    assert found.axes == "tyx" and np.asarray(found.pixels).shape == FRAMES.shape


def test_pages_that_were_written_one_by_one_are_frames(tmp_path):
    with tifffile.TiffWriter(tmp_path / "v.tif") as file:
        for frame in FRAMES[1:]:
            file.write(frame + np.arange(64, dtype=np.uint8), compression="lzw")
    found = read(tmp_path)
    assert found.axes == "tyx" and found.pixels.mean((1, 2)) == pytest.approx([71.5, 111.5, 151.5, 191.5])
    assert "other_signals" not in found.meta and read(tmp_path, stack="z").axes == "zyx"


def test_a_last_axis_of_length_one_is_no_width(tmp_path):
    """Arrays of other programs end in an axis of channels, of which grey images have one."""
    frames = (FRAMES + np.arange(64, dtype=np.uint8))[..., None]
    np.save(tmp_path / "a.npy", frames)
    assert read(tmp_path).pixels.shape == FRAMES.shape
    (tmp_path / "a.npy").unlink()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = frames[None]
    assert read(tmp_path).pixels.shape == FRAMES.shape


@pytest.mark.parametrize("metadata", [{}, None])
def test_images_of_several_sizes_in_one_file_are_remarked(tmp_path, metadata):
    one, two = FRAMES[1] + np.arange(64, dtype=np.uint8), FRAMES[2] + np.arange(64, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in (one, two, one[:-6]):
            tif.write(frame, metadata=metadata)
    said = "one of 3 images of the file was read" if metadata == {} else "2 of 3 images of the file were read"
    assert read(tmp_path).meta["remark"].startswith(said)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(one, metadata=metadata)
        tif.write(np.ascontiguousarray(one[::2, ::2]), metadata=metadata, subfiletype=1)  # a reduced copy
    assert "remark" not in read(tmp_path).meta


def test_series_of_one_size_in_one_file_are_remarked_as_series(tmp_path):
    stack = FRAMES + np.arange(64, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        for _ in range(2):
            tif.write(stack, metadata={"axes": "TYX"})
    remark = read(tmp_path).meta["remark"]
    assert remark.startswith(f"{len(stack)} of {2 * len(stack)} images") and remark.endswith("save them as one series")


@pytest.mark.parametrize(
    ("interval", "unit", "seconds"),
    [(2.5, "sec", 2.5), (40, "ms", 0.04), (1, "min", 60.0), (0, "s", None), (3, "fortnight", None), (2, None, 2.0)],
)
def test_the_time_from_frame_to_frame_is_that_of_imagej(tmp_path, interval, unit, seconds):
    about = {"axes": "TYX", "finterval": interval, **({"tunit": unit} if unit else {})}
    tifffile.imwrite(tmp_path / "v.tif", FRAMES, imagej=True, metadata=about)
    assert read(tmp_path).meta.get("frame_s") == seconds
    assert "frame_s" not in read(tmp_path, stack="z").meta  # slices have no time


def test_the_time_from_frame_to_frame_is_that_of_ome(tmp_path):
    about = {"axes": "TYX", "TimeIncrement": 250, "TimeIncrementUnit": "ms", "PhysicalSizeX": 0.1}
    tifffile.imwrite(tmp_path / "v.ome.tif", FRAMES, metadata=about)
    assert read(tmp_path).meta["frame_s"] == 0.25


def test_planes_that_an_ome_text_announces_and_the_file_lacks_are_counted(tmp_path):
    tifffile.imwrite(tmp_path / "v.ome.tif", FRAMES, metadata={"axes": "TYX"})
    raw = (tmp_path / "v.ome.tif").read_bytes()
    (tmp_path / "v.ome.tif").write_bytes(raw.replace(b'SizeT="5"', b'SizeT="9"'))
    with pytest.raises(BadItem, match="4 of the 9 planes that its OME text announces are not in the file"):
        read(tmp_path)


def test_further_images_of_the_same_size_and_another_type_are_remarked(tmp_path):
    with tifffile.TiffWriter(tmp_path / "v.tif") as out:
        out.write(FRAMES[1] + np.arange(64, dtype=np.uint8))
        out.write(FRAMES[2].astype(np.uint16) * 9)
        out.write(FRAMES[3][::4, ::4], subfiletype=1)  # a reduced copy counts for nothing
    assert "1 further images of the file, of other types (grey uint16), were not read" in read(tmp_path).meta["remark"]
