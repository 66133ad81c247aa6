"""The catalogue: every set described, every file found or fetched whole, every fault said clearly."""

import hashlib
import io
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from matlens import columns
from matlens.ingest import catalog as ingest_catalog
from matlens.store import catalog, converted, download
from PIL import Image

BODY = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(BODY).hexdigest()
PAINTED = np.array([[[0, 0, 255], [255, 0, 0]], [[80, 80, 80], [0, 9, 255]]], "u1")  # blue, red, and neither
SAMPLES = {
    "superalloy_nasa_images_spot1_0d_0.tif": ("superalloy_nasa", "val/images/spot1_0d_0.png"),
    "superalloy_nasa_labels_spot1_0d_0_mask.tif": ("superalloy_nasa", "val/labels/spot1_0d_0.png"),
    "tbm_grains_labels_10-0-768.png": ("tbm_grains", "labels/10-0-768.png"),
}


class Handler(BaseHTTPRequestHandler):
    """Serve BODY, with the fault that the first part of the path names."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        fault = self.path.split("/")[1]
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if fault == "gone":
            return self.send_error(404)
        if fault == "down":
            return self.send_error(503)
        start = int(re.match(r"bytes=(\d+)-", asked)[1]) if asked and fault != "whole" else 0
        if fault == "unwilling" and asked:
            return self.send_error(416)
        body = self.server.body if fault == "body" else BODY[start:]
        if fault == "longer":
            body = BODY + b"x"
        elif fault == "other":
            body = bytes(reversed(BODY))
        cut = fault == "cut" or (fault == "once" and len(self.server.asked) == 1)
        self.send_response(206 if asked and fault != "whole" else 200)
        if asked and fault != "whole":
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        return None


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", (2.0, 2.0))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield running
        running.shutdown()


def get(server, fault, path):
    download.fetch(f"{server.url}/{fault}/f.bin", path, SHA, len(BODY))


def leftovers(path):
    return sorted(p.name for p in path.parent.iterdir())


def test_a_file_is_fetched_whole(server, tmp_path):
    path = tmp_path / "a" / "f.bin"
    get(server, "fine", path)
    assert path.read_bytes() == BODY
    assert leftovers(path) == ["f.bin"]


def test_a_broken_connection_is_resumed_where_it_broke(server, tmp_path):
    get(server, "once", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert server.asked == [None, f"bytes={len(BODY) // 2}-"]


def test_the_next_run_goes_on_from_the_partial_file(server, tmp_path):
    (tmp_path / ".f.bin.part").write_bytes(BODY[:1000])
    get(server, "fine", tmp_path / "f.bin")
    assert server.asked == ["bytes=1000-"]
    assert (tmp_path / "f.bin").read_bytes() == BODY


@pytest.mark.parametrize("fault", ["whole", "unwilling"])
def test_a_server_that_cannot_resume_gives_the_whole_file(server, tmp_path, fault):
    (tmp_path / ".f.bin.part").write_bytes(BODY[:1000])
    get(server, fault, tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == BODY


def test_a_partial_file_of_another_version_is_fetched_again(server, tmp_path):
    (tmp_path / ".f.bin.part").write_bytes(b"z" * 1000)
    get(server, "fine", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert server.asked == ["bytes=1000-", None]


@pytest.mark.parametrize(
    ("fault", "says", "kept"),
    [
        ("gone", "404", []),
        ("down", "503", []),
        ("cut", f"of {len(BODY)} bytes", [".f.bin.part"]),
        ("longer", "sends more than", [".f.bin.part"]),
        ("other", "another checksum", []),
    ],
)
def test_faults_name_the_file_the_address_and_the_remedy(server, tmp_path, fault, says, kept):
    with pytest.raises(download.DownloadError) as caught:
        get(server, fault, tmp_path / "f.bin")
    message = str(caught.value)
    assert says in message and server.url in message and "f.bin" in message and f"put it at {tmp_path}" in message
    assert leftovers(tmp_path / "f.bin") == kept
    with pytest.raises(download.DownloadError):
        get(server, fault, tmp_path / "set/part/f.bin")
    assert (tmp_path / "set").exists() == bool(kept)


def test_a_server_that_is_not_there_is_a_clear_error(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(download.DownloadError, match=r"ConnectionError.*run again"):
        get(server, "fine", tmp_path / "f.bin")
    assert leftovers(tmp_path / "f.bin") == []


def test_an_interrupted_download_keeps_its_part_and_not_its_name(server, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(download.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        get(server, "fine", tmp_path / "f.bin")
    monkeypatch.undo()
    assert leftovers(tmp_path / "f.bin") == [".f.bin.part"]
    get(server, "fine", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert len(server.asked) == 1


def test_two_processes_fetch_a_file_once(server, tmp_path):
    threads = [threading.Thread(target=get, args=(server, "fine", tmp_path / "f.bin")) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(server.asked) == 1
    assert (tmp_path / "f.bin").read_bytes() == BODY


@pytest.fixture
def shelf(server, tmp_path, monkeypatch):
    """A catalogue of one set with a file that can be fetched and one that was converted."""
    about = {
        "title": "t",
        "folder": "micrographs/demo",
        "source": "github.com/a/b",
        "commit": "c0ffee",
        "licence": "MIT",
        "converted": "TIFF to PNG",
        "url": f"{server.url}/fine/",
        "items": {
            "image": r"(?P<split>train|val)/(?P<stem>(?P<group>s\d)_(?P<time_h>\d+)h)\.png",
            "truth": "m/{stem}.png",
        },
        "files": {
            "m/s1_5h.png": {"size": len(BODY), "sha256": SHA, "fetch": "m s/1.png"},
            "train/s1_5h.png": {"size": len(BODY), "sha256": SHA, "fetch": "1.png"},
            "val/s2_10h.png": {"size": 5, "sha256": SHA},
        },
    }
    monkeypatch.setattr(catalog, "entries", lambda: {"demo": about})
    monkeypatch.setattr(catalog, "places", lambda: [tmp_path / "here", tmp_path / "raw"])
    return tmp_path


def test_a_file_is_found_before_it_is_fetched(shelf, server):
    here = shelf / "here/micrographs/demo/train/s1_5h.png"
    here.parent.mkdir(parents=True)
    here.write_bytes(BODY)
    assert catalog.find("demo", "train/s1_5h.png") == here
    assert catalog.find("demo", "m/s1_5h.png") == shelf / "raw/micrographs/demo/m/s1_5h.png"
    assert catalog.address("demo", "m/s1_5h.png").endswith("/fine/m%20s/1.png")
    assert len(server.asked) == 1
    assert catalog.verify("demo") == ["demo: val/s2_10h.png: not on this machine"]


def test_a_truncated_file_is_never_used(shelf):
    here = shelf / "here/micrographs/demo/train/s1_5h.png"
    here.parent.mkdir(parents=True)
    here.write_bytes(BODY[:-1])
    with pytest.raises(OSError, match=r"has 1048575 bytes, the catalogue says 1048576.*remove it"):
        catalog.find("demo", "train/s1_5h.png")
    here.write_bytes(BODY[:-1] + b"x")
    assert "not the file of the catalogue" in catalog.verify("demo")[1]


def test_a_converted_file_is_asked_for_with_its_source(shelf):
    with pytest.raises(FileNotFoundError, match=r"converted \(TIFF to PNG\).*github.com/a/b at c0ffee; put it at"):
        catalog.find("demo", "val/s2_10h.png")


@pytest.fixture
def painted(server, tmp_path, monkeypatch):
    """A set whose mask is painted in colours at its source, and the mask of the catalogue."""
    body = io.BytesIO()
    Image.fromarray(PAINTED).save(body, format="TIFF")
    server.body = body.getvalue()
    facts = {
        "size": 5,
        "sha256": "0" * 64,
        "fetch": "mask.tif",
        "fetched": hashlib.sha256(body.getvalue()).hexdigest(),
        "recipe": "blue_1_red_2",
        "pixels": hashlib.sha256(bytes([1, 2, 0, 0])).hexdigest(),
    }
    about = {"title": "t", "folder": "demo", "source": "s", "licence": "MIT", "files": {"mask.png": facts}}
    about["url"] = f"{server.url}/body/"
    monkeypatch.setattr(catalog, "entries", lambda: {"demo": about})
    monkeypatch.setattr(catalog, "places", lambda: [tmp_path / "here", tmp_path / "raw"])
    return facts, tmp_path / "raw/demo/mask.png"


def test_a_file_of_another_form_is_fetched_and_converted(painted):
    facts, path = painted
    assert catalog.find("demo", "mask.png") == path
    np.testing.assert_array_equal(Image.open(path), [[1, 2], [0, 0]])
    assert leftovers(path) == ["mask.png"]
    assert path.stat().st_size != facts["size"] and catalog.find("demo", "mask.png") == path
    assert catalog.verify("demo") == []
    Image.fromarray(np.array([[1, 2], [0, 1]], "u1")).save(path)
    assert catalog.verify("demo") == [f"demo: {path}: not the file of the catalogue"]
    with pytest.raises(OSError, match="truncated or another version"):
        catalog.find("demo", "mask.png")


@pytest.mark.parametrize(
    ("wrong", "says"), [({"pixels": "0" * 64}, "other pixels"), ({"recipe": "grey"}, "no grey image")]
)
def test_a_converted_file_that_is_another_one_is_not_kept(painted, wrong, says):
    facts, path = painted
    facts.update(wrong)
    with pytest.raises(OSError, match=says):
        catalog.find("demo", "mask.png")
    assert not path.exists()


@pytest.mark.parametrize(
    ("recipe", "pixels", "made"),
    [
        ("grey", [[[7, 7, 7], [9, 9, 9]]], [[7, 9]]),
        ("blue_1_red_2", [[[0, 0, 255, 255], [255, 0, 0, 255], [0, 0, 254, 255], [255, 0, 255, 255]]], [[1, 2, 0, 0]]),
        ("above_127", [[0, 127, 128, 255]], [[0, 0, 255, 255]]),
        ("same", [[3, 4]], [[3, 4]]),
    ],
)
def test_recipes(recipe, pixels, made):
    np.testing.assert_array_equal(converted.RECIPES[recipe](np.array(pixels, "u1")), made)


@pytest.mark.data
@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_files_of_the_sources_become_those_of_the_catalogue(sample, data, tmp_path):
    folder = data("upstream/samples")
    name, file = SAMPLES[sample]
    facts = catalog.entry(name)["files"][file]
    fetched = tmp_path / sample
    fetched.write_bytes((folder / sample).read_bytes())
    assert hashlib.sha256(fetched.read_bytes()).hexdigest() == facts["fetched"]
    converted.convert(fetched, tmp_path / "made.png", facts["recipe"], facts["pixels"])
    assert converted.has_pixels(data(f"{catalog.entry(name)['folder']}/{file}"), facts["pixels"])


def test_wrong_names_are_answered_with_the_right_ones(shelf):
    with pytest.raises(ValueError, match=r"unknown set 'dema'.*did you mean 'demo'"):
        catalog.find("dema", "x")
    with pytest.raises(ValueError, match=r"no file 'x'.*train/s1_5h.png"):
        catalog.find("demo", "x")
    with pytest.raises(ValueError, match="did you mean 'demo'"):
        ingest_catalog.listing(set="dema")
    with pytest.raises(ValueError, match="no image of the set 'demo' matches"):
        ingest_catalog.listing(set="demo", include=["test/*"])


def test_the_plan_has_the_columns_of_the_names_and_the_reasons(shelf):
    before = ingest_catalog.listing(set="demo")
    frame = ingest_catalog.plan(set="demo").set_index(columns.ITEM)
    assert ingest_catalog.listing(set="demo") == before
    raw = shelf / "raw/micrographs/demo"
    assert list(frame.index) == ["s1_5h", "s2_10h"]
    assert frame.loc["s1_5h", "file"] == str(raw / "train/s1_5h.png")
    assert frame.loc["s1_5h", "truth_file"] == str(raw / "m/s1_5h.png")
    assert frame["split"].tolist() == ["train", "val"]
    assert frame["group"].tolist() == ["s1", "s2"]
    assert frame["time_h"].tolist() == [5, 10]
    assert frame["reason"].isna().tolist() == [True, False]
    assert "TIFF to PNG" in frame.loc["s2_10h", "reason"]
    assert ingest_catalog.plan(set="demo", include=["train/*"])["item"].tolist() == ["s1_5h"]


def test_a_set_of_which_nothing_can_be_fetched_stops_the_run(shelf, server, monkeypatch):
    """Without a network no item is at fault: a run that ends with nothing would look finished."""
    monkeypatch.setattr(download, "_SILENT", set())
    monkeypatch.setitem(catalog.entry("demo"), "url", "http://127.0.0.1:9/")
    with pytest.raises(download.DownloadError, match=r"no image of the set 'demo'.*tried 4 times.*put it at"):
        ingest_catalog.plan(set="demo", include=["train/*"])
    with pytest.raises(download.DownloadError, match="tried once"):
        catalog.find("demo", "m/s1_5h.png")


@pytest.fixture
def chest(tmp_path, monkeypatch):
    """A set with one file that is a member of a zip archive, and an archive whose members try to get out."""
    import zipfile

    folder = tmp_path / "here/demo"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("in/a.bin", BODY)
        archive.writestr("../../evil.bin", b"x" * 10)
        archive.writestr("bomb.bin", b"0" * (1 << 24))
    files = {
        "a.zip": {"size": (folder / "a.zip").stat().st_size, "sha256": "0" * 64},
        "in/a.bin": {"size": len(BODY), "sha256": SHA, "archive": "a.zip"},
        "bomb.bin": {"size": 100, "sha256": SHA, "archive": "a.zip"},
        "absent.bin": {"size": 100, "sha256": SHA, "archive": "a.zip"},
    }
    about = {"title": "t", "folder": "demo", "source": "s", "licence": "MIT", "files": files}
    monkeypatch.setattr(catalog, "entries", lambda: {"demo": about})
    monkeypatch.setattr(catalog, "places", lambda: [tmp_path / "here", tmp_path / "raw"])
    return tmp_path


def test_a_member_of_an_archive_is_taken_out_and_nothing_else(chest):
    path = catalog.find("demo", "in/a.bin")
    assert path == chest / "raw/demo/in/a.bin"
    assert path.read_bytes() == BODY
    assert sorted(p.name for p in chest.rglob("*") if p.is_file()) == ["a.bin", "a.zip"]


@pytest.mark.parametrize(("file", "says"), [("bomb.bin", "not the file of the catalogue"), ("absent.bin", "taken out")])
def test_what_an_archive_should_not_hold_is_refused(chest, file, says):
    with pytest.raises(OSError, match=says):
        catalog.find("demo", file)
    assert [p.name for p in chest.rglob("*") if p.is_file()] == ["a.zip"]


def test_a_broken_archive_is_said(chest):
    path = chest / "here/demo/a.zip"
    path.write_bytes(b"PK" + b"0" * (path.stat().st_size - 2))
    with pytest.raises(OSError, match="get the archive again"):
        catalog.find("demo", "in/a.bin")


def test_the_defaults_of_the_schema_are_those_of_the_functions():
    from matlens import registry
    from matlens.plan import study

    options = {}
    for name in ("plan", "listing", "read"):
        options |= registry.options_of(getattr(ingest_catalog, name))
    said = study.read_schema("ingest.schema.yaml")["properties"]["catalog"]["properties"]
    assert set(options) == set(said)
    required = {name for name, part in said.items() if "default" not in part}
    assert required == {"set"}
    assert {name: part["default"] for name, part in said.items() if name != "set"} == {
        name: default for name, default in options.items() if name != "set"
    }


def test_a_real_item_has_its_truth_in_phases(data):
    data("micrographs/superalloy_nasa")
    options = {"set": "superalloy_nasa", "truth_values": {"matrix": [0], "precipitate": [1, 2]}}
    row = ingest_catalog.plan(set="superalloy_nasa", include=["val/*"]).iloc[0].to_dict()
    found = ingest_catalog.read(row, ["matrix", "precipitate"], **options)
    assert found.pixels.shape == found.truth.shape == (512, 512)
    assert 0.3 < found.truth.mean() < 0.7  # SOURCE: the matrix is 0.478 of the test images
    three = ingest_catalog.read(row, ["matrix", "secondary", "tertiary"], set="superalloy_nasa")
    assert set(three.truth.ravel()) <= {0, 1, 2} and three.truth.max() == 2


def test_a_set_without_micrographs_is_answered_with_those_that_have_some():
    with pytest.raises(ValueError, match=r"'tdb_kawin' has no micrographs; .*allowed: ebc_nasa"):
        ingest_catalog.listing(set="tdb_kawin")


def test_hash_prints_an_entry_that_the_catalogue_reads(tmp_path, capsys):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a: b.png").write_bytes(b"12345")
    assert catalog.main(["hash", str(tmp_path)]) == 0
    import yaml

    files = yaml.safe_load(capsys.readouterr().out)["files"]
    assert files == {"sub/a: b.png": {"size": 5, "sha256": hashlib.sha256(b"12345").hexdigest()}}


@pytest.mark.parametrize("name", catalog.entries())
def test_every_set_says_what_it_is(name):
    about = catalog.entry(name)
    assert about["title"] and about["source"] and about["licence"] and about["files"]
    assert list(about["files"]) == sorted(about["files"])
    for facts in about["files"].values():
        assert re.fullmatch("[0-9a-f]{64}", facts["sha256"]) and facts["size"] > 0
        assert set(facts) <= {"size", "sha256", "fetch", "archive", "fetched", "recipe", "pixels"}
        assert facts.get("recipe") in {None, *converted.RECIPES}
    for file in about["files"]:
        if address := catalog.address(name, file):
            host, repository, commit = re.match(r"(.*?\.com)/([^/]+/[^/]+)/([0-9a-f]{40})/", address).groups()
            assert host == "https://raw.githubusercontent.com" and f"github.com/{repository}" in about["source"]
            assert about.get("commit", commit) == commit
    if "items" in about:
        rows = ingest_catalog._items(name, None)
        assert len({row["item"] for row in rows}) == len(rows)
        assert set(about["items"]) <= {"image", "truth", "truth_values", "objects", "object_classes", "stack"}
        if "truth" in about["items"]:
            assert any(row["truth_file"] for row in rows)


def test_the_counts_of_sets_that_studies_use():
    counts = {
        name: (len(rows), sum(row["truth_file"] is not None for row in rows))
        for name in ("superalloy_nasa", "gammaprime_ageing", "uhcs_spheroidite", "tbm_grains", "ebsd_mtex", "porous3d")
        if (rows := ingest_catalog._items(name, None))
    }
    assert counts == {
        "superalloy_nasa": (14, 14),
        "gammaprime_ageing": (4, 2),
        "uhcs_spheroidite": (8, 8),
        "tbm_grains": (55, 55),
        "ebsd_mtex": (11, 0),
        "porous3d": (1, 1),
    }


@pytest.mark.parametrize("name", ["superalloy_nasa", "gammaprime_ageing", "nist_grainsize"])
def test_the_files_here_are_those_of_the_catalogue(name, data):
    data(catalog.entry(name)["folder"])
    assert catalog.verify(name) == []
