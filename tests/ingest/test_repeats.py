"""Equal files under two names are reported, different files of one size are not."""

import os

import numpy as np
import pandas as pd
from matlens import columns
from matlens.ingest import repeats
from matlens.store import io
from PIL import Image
from scripts import ingest, ingest_plan


def test_files_are_told_apart_by_any_byte(tmp_path):
    rng = np.random.default_rng(0)
    whole = rng.bytes(50_000)
    other = bytearray(whole)
    other[30_000] ^= 1  # where no sample is taken
    for name, data in (("a", whole), ("b", bytes(other)), ("c", whole), ("d", whole[:-1]), ("e", b""), ("f", b"")):
        (tmp_path / name).write_bytes(data)
    os.symlink(tmp_path / "b", tmp_path / "g")
    paths = [str(tmp_path / name) for name in "abcdefg"] + [str(tmp_path / "none"), str(tmp_path)]
    found = repeats.first_of(paths)
    assert {os.path.basename(k): os.path.basename(v) for k, v in found.items()} == {"c": "a", "f": "e", "g": "b"}


def test_structures_of_a_copied_file_are_those_of_the_same_place(tmp_path):
    for name in "xy":
        (tmp_path / name).write_text("two structures")
    rows = [(f"{name}/{k}", str(tmp_path / name), k) for name in "xy" for k in (0, 1)]
    items = pd.DataFrame(rows, columns=["item", "file", "_row"])
    assert repeats.same_as(items) == ["", "", "x/0", "x/1"]


def test_an_image_that_was_saved_twice_has_a_word_in_log_and_index(tmp_path, capsys):
    for name, seed in (("one", 0), ("two", 1), ("copy", 0)):
        pixels = np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    options = {"path": str(tmp_path / "*.png")}
    plan, rejected, images, truth, index, lost = (tmp_path / name for name in "prxtil")
    ingest_plan.main("files", options, plan, rejected)
    assert capsys.readouterr().out.strip() == "copy and one are the same file"
    outputs = {"images": images, "truth": truth, "truth_objects": tmp_path / "objects"}
    ingest.main(plan, "images", "files", options, ["a", "b"], "0000", 1, outputs, index, lost)
    assert io.read_table(index).set_index("item")[columns.SAME_AS].to_dict() == {"copy": "", "one": "copy", "two": ""}
    (tmp_path / "copy.png").unlink()
    ingest_plan.main("files", options, plan, rejected)
    assert columns.SAME_AS not in io.read_table(plan)
