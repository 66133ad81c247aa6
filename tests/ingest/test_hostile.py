"""Files that somebody sends who means harm: each is refused with a reason, at once, and the file beside it is read."""

import gzip
import json
import os
import sqlite3
import zipfile

import numpy as np
import pytest
import tifffile
from matlens import columns
from matlens.ingest import file_search, files, readers, sheet, spreadsheet
from matlens.ingest.crystals import structures
from matlens.job.batch import BadItem
from PIL import Image

MOST = 1 << 28
GOOD = {"id": "good", "cell": [[4, 0, 0], [0, 4, 0], [0, 0, 4]], "species": ["Al"], "frac": [[0, 0, 0]]}
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{LAUGHS}]>'
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="NAME">'
    '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="32" SizeY="32" '
    'SizeZ="1" SizeC="1" SizeT="FRAMES">'
    "<TiffData/></Pixels></Image></OME>"
)


def noise(side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)


def reasons(folder) -> dict:
    """List a folder of crystals: the reason of each item, where it has one, and read the others."""
    found = structures.plan(path=str(folder)).to_dict("records")
    for row in found:
        if not row[columns.REASON]:
            structures.read(row)
    return {row[columns.ITEM]: row[columns.REASON] for row in found}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "crystals").mkdir()
    (tmp_path / "crystals/good.json").write_text(json.dumps(GOOD))
    return tmp_path / "crystals"


def test_pipes_and_devices_among_crystals_are_no_files(folder):
    os.mkfifo(folder / "pipe.json")
    (folder / "zeros.json").symlink_to("/dev/zero")
    found = reasons(folder)
    assert found.pop("good") is None
    assert set(found) == {"pipe", "zeros"}
    assert all("not a plain file" in reason for reason in found.values())


def test_pipes_and_devices_among_images_and_masks_are_no_files(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "good.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zeros.tif").symlink_to("/dev/zero")
    rows = files.plan(path=str(tmp_path)).set_index(columns.ITEM)[columns.REASON]
    assert rows["good"] is None
    assert "not a plain file" in rows["pipe"]
    assert "not a plain file" in rows["zeros"]
    with pytest.raises(BadItem, match="not a plain file"):
        readers.read_labels(str(tmp_path / "pipe.png"), max_pixels=MOST)


def test_links_that_go_round_in_circles_are_walked_once(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    Image.fromarray(noise()).save(tmp_path / "a/b/field.png")
    for name in ("again", "more", "back"):
        (tmp_path / "a/b" / name).symlink_to(tmp_path)
        (tmp_path / name).symlink_to(".")
    root, found = file_search.found(str(tmp_path / "**/*.png"))
    assert [file_search.item_name(path, root) for path in found] == ["a/b/field"]


@pytest.mark.parametrize("pattern", ["**/*.png", "**", "**/x/*.png", "**/x/**/*.png", "a*/**/*.png", "**/**/f*.png"])
def test_a_pattern_with_folders_at_any_depth_finds_what_the_shell_finds(tmp_path, pattern):
    from glob import glob

    for name in ("f0", "a1/f1", "a1/x/f2", "a1/x/y/f3", "b[2]/x/f4", "b[2]/.hidden/f5"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.png").touch()
    outside = tmp_path / "b[2]/linked"
    outside.symlink_to(tmp_path.parent / f"{tmp_path.name}_far")
    outside.resolve().mkdir(exist_ok=True)
    (outside / "f6.png").touch()
    wanted = {path for path in glob(str(tmp_path / pattern), recursive=True) if os.path.isfile(path)}
    assert {path for path in file_search.matching(str(tmp_path / pattern)) if os.path.isfile(path)} == wanted
    assert wanted


def test_a_packed_file_that_swells_is_a_bomb_in_crystals_and_tables(folder, tmp_path):
    with gzip.open(folder / "bomb.json.gz", "wb") as handle:
        for _ in range(160):
            handle.write(b" " * (1 << 20))
    found = reasons(folder)
    assert found.pop("good") is None
    assert all("decompression bomb" in reason for reason in found.values())
    with pytest.raises(ValueError, match="decompression bomb"):
        spreadsheet.read(folder / "bomb.json.gz")


def test_json_of_any_depth_and_cells_of_any_length_are_refused(folder, tmp_path):
    (folder / "lists.json").write_text("[" * 200_000 + "]" * 200_000)
    (folder / "maps.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    found = reasons(folder)
    assert found.pop("good") is None
    assert all("nested" in reason for reason in found.values())
    with pytest.raises(ValueError, match="nested"):
        spreadsheet.read(folder / "lists.json")
    (tmp_path / "sheet.csv").write_text("file,item\n" + "a" * 200_000 + ",x\n")
    for read in (lambda path: sheet.plan(path=str(path)), spreadsheet.read):
        with pytest.raises(ValueError, match="field larger"):
            read(tmp_path / "sheet.csv")
    (tmp_path / "long.csv").write_text("file,item\n" + "a" * 5_000 + ",x\n")
    assert "cannot be accessed" in sheet.plan(path=str(tmp_path / "long.csv"))["reason"][0]
    assert sheet.listing(path=str(tmp_path / "long.csv"))


def test_a_data_base_whose_table_is_an_endless_view_is_refused(folder):
    base = sqlite3.connect(folder / "view.db")
    base.execute(
        "CREATE VIEW systems AS WITH RECURSIVE c(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM c) "
        "SELECT id, '{}' AS key_value_pairs, 0.0 AS energy FROM c"
    )
    base.commit()
    base.close()
    found = reasons(folder)
    assert found["good"] is None
    assert "no table 'systems'" in found["view"]


def test_a_workbook_may_neither_swell_nor_claim_every_cell(tmp_path):
    import openpyxl

    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b" " * (160 << 20))
    with pytest.raises(ValueError, match="decompression bomb"):
        spreadsheet.read(tmp_path / "bomb.xlsx")

    book = openpyxl.Workbook()
    for row in (["a", "b", None], [1, 2, None], [None, None, None], [3, None, None]):
        book.active.append(row)
    book.save(tmp_path / "good.xlsx")
    with zipfile.ZipFile(tmp_path / "good.xlsx") as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    wide = parts[name].replace(b'<dimension ref="A1:C4"', b'<dimension ref="A1:XFD1048576"')
    assert wide != parts[name]
    with zipfile.ZipFile(tmp_path / "wide.xlsx", "w") as book:
        for part, data in {**parts, name: wide}.items():
            book.writestr(part, data)
    wanted = (["a", "b"], [{"a": 1, "b": 2}, {"a": 3, "b": None}])
    assert spreadsheet.read(tmp_path / "wide.xlsx") == spreadsheet.read(tmp_path / "good.xlsx") == wanted


def test_texts_of_ome_neither_laugh_nor_announce_frames_nor_read_other_files(tmp_path):
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    for name, text in {
        "laughs": LAUGHS + OME.replace("NAME", "&a10;").replace("FRAMES", "1"),
        "outside": outside + OME.replace("NAME", "&e;").replace("FRAMES", "1"),
    }.items():
        path = str(tmp_path / f"{name}.ome.tif")
        tifffile.imwrite(path, noise(), description=text, metadata=None)
        np.testing.assert_array_equal(readers.read(path, max_pixels=MOST).pixels, noise())
    path = str(tmp_path / "frames.ome.tif")
    tifffile.imwrite(path, noise(), description=OME.replace("FRAMES", "1000000000"), metadata=None)
    with pytest.raises(BadItem, match="announces 1000000000 frames"):
        readers.read(path, max_pixels=MOST)


def test_pages_that_refer_to_themselves_are_read_once(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise())
    data = bytearray(path.read_bytes())
    at = int.from_bytes(data[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    data[end : end + 4] = at.to_bytes(4, "little")
    path.write_bytes(data)
    assert readers.read(str(path), max_pixels=MOST).pixels.shape == (32, 32)


def test_links_of_hdf5_to_other_files_are_not_followed(tmp_path):
    import h5py

    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["signal/data"] = noise()
    for name, link in {"a.hspy": "Experiments", "b.h5": "deep/er"}.items():
        with h5py.File(tmp_path / name, "w") as file:
            file[link] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/signal")
        with pytest.raises(BadItem, match="lies in another file"):
            readers.read(str(tmp_path / name), max_pixels=MOST)


@pytest.mark.parametrize(
    ("filters", "compressor"),
    [([{"id": "pickle"}], None), (None, {"id": "pickle"}), ([{"id": "delta", "dtype": "|u1"}, {"id": "pickle"}], None)],
)
@pytest.mark.parametrize("dtype", ["|u1", "|O"])
def test_a_zarr_folder_is_never_unpickled(tmp_path, dtype, filters, compressor):
    import pickle

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    folder = tmp_path / "a.zarr"
    folder.mkdir()
    about = {"zarr_format": 2, "shape": [16, 16], "chunks": [16, 16], "dtype": dtype, "fill_value": 0, "order": "C"}
    (folder / ".zarray").write_text(json.dumps({**about, "filters": filters, "compressor": compressor}))
    (folder / "0.0").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(BadItem):
        readers.read(str(folder), max_pixels=MOST)
    assert not (tmp_path / "harm").exists()
