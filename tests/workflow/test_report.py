"""The report shows a run in one file, with any name of an item and any missing table."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matlens.report import html, overlay
from matlens.store import io
from scripts.report import main as write_report

HOSTILE = "<script>alert(1)</script>"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>alert(1)</script></svg>'


def content(name, **changes):
    """Write the files of a small study and return its contents for the report."""
    folder = f"results/{name}"
    rng = np.random.default_rng(0)
    names = [HOSTILE, "007", *(f"field_{n:03d}" for n in range(148))]
    items = pd.DataFrame({"key": range(150), "item": names, "height_px": 96, "width_px": 128, "pixel_size_um": np.nan})
    items.loc[:9, "pixel_size_um"] = 0.5
    rows = {"method": np.repeat(["otsu", "all_background"], 150), "item": names * 2, "phase": 1, "phase_name": "pore"}
    fractions = pd.DataFrame({**rows, "area_fraction": np.r_[np.linspace(0.2, 0.4, 150), np.zeros(150)]})
    scores = pd.DataFrame({**rows, "iou": np.r_[np.full(150, 0.75), np.zeros(150)]})
    lost = pd.DataFrame(
        {"item": [f"bad {HOSTILE} {n}" for n in range(120)], "stage": "ingest", "reason": "not an image"}
    )
    tables = {"items": items, "rejected": lost, "fractions": fractions, "scores": scores}
    for table, frame in tables.items():
        io.write_csv(f"{folder}/tables/{table}.csv", frame)
    io.write_text(f"{folder}/figures/fractions.svg", SVG)
    picture = overlay.paint(rng.random((96, 128)), np.eye(96, 128, dtype=np.uint8), None, width_px=256)
    files = overlay.files(0, picture) | overlay.files(5, picture)
    io.write_bytes_zip(f"{folder}/segment/otsu/overlays/all.zip", files)
    io.write_bytes_zip(f"{folder}/segment/all_background/overlays/all.zip", {})
    return {
        "title": f"A study called {name} <b>&",
        "about": "What it shows.",
        "reference": "A. Author, Journal 1 (2020)",
        "settings": {"title": name, "ingest": {"shards": 3}},
        "shards": 3,
        "methods": ["otsu", "all_background"],
        "used": {"segment": ["otsu"]},
        "entries": {"segment.otsu": ["matlens.segment.otsu:segment"]},
        "cited": [],
        "main_table": "fractions",
        "tables": {table: f"{folder}/tables/{table}.csv" for table in tables},
        "figures": {"fractions": f"{folder}/figures/fractions.svg"},
        "overlays": {m: f"{folder}/segment/{m}/overlays/all.zip" for m in ("otsu", "all_background")},
        **changes,
    }


class Page(HTMLParser):
    """Collect the tags, the words and the cells of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.rows, self.table = [], [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "table":
            self.table = self.rows.setdefault(attrs["id"], [])
        elif tag == "tr" and self.table is not None:
            self.table.append([])

    def handle_endtag(self, tag):
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        self.words.append(data)
        if self.table and data.strip():
            self.table[-1].append(data.strip())


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write a report of studies in a fresh folder, and give its path."""
    monkeypatch.chdir(tmp_path)

    def write(**studies):
        contents = {name: content(name, **changes) for name, changes in (studies or {"mine": {}}).items()}
        write_report(contents, "results/report.html")
        return tmp_path / "results/report.html"

    return write


def test_items_that_are_one_file_under_two_names_are_told(page):
    path = page()
    told = "2 the same file as another: column same_as of the items"
    assert told not in Page(path.read_text()).words
    items = io.read_csv("results/mine/tables/items.csv").assign(same_as=["", "007", "007", *[""] * 147])
    described = content("mine")
    io.write_csv("results/mine/tables/items.csv", items)
    write_report({"mine": described}, "results/report.html")
    assert told in Page(path.read_text()).words


def test_what_an_item_is_called_stays_text(page):
    text = page().read_text()
    assert "N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62" in text and "segment: otsu" in text  # what to cite
    found = Page(text)
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "<script>alert" not in text
    assert [row[1] for row in found.rows["mine-fractions"] if HOSTILE in row][:1] == [HOSTILE]
    assert "A study called mine <b>&" in found.words
    assert "007" in [row[1] for row in found.rows["mine-items"][1:]]


def test_the_page_asks_for_nothing_outside_itself(page):
    found = Page(page().read_text())
    for tag, attrs in found.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "video", "audio")
        for name in ("src", "href", "data-large", "action", "srcset", "poster"):
            assert re.match(r"data:image/|#", attrs.get(name) or "#"), (tag, attrs[name][:60])
    policy = next(attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_ids_are_unique_and_every_link_has_its_goal(page):
    tags = Page(page(mine={}, other={}).read_text()).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in tags if tag == "a"} <= set(ids)


def test_a_long_table_is_cut_and_says_where_the_rest_is_but_rejected_items_are_all_there(page):
    found = Page(page().read_text())
    words = " ".join(found.words)
    assert len(found.rows["mine-fractions"]) == 1 + html.ROWS
    assert f"The first {html.ROWS} of 300 rows" in words
    assert "results/mine/tables/fractions.csv" in words
    assert len(found.rows["mine-rejected"]) == 1 + 120


def test_the_summary_has_the_numbers_of_the_whole_tables(page):
    found = Page(page().read_text())
    head, otsu, background = found.rows["mine-averages"]
    assert head == ["method", "area fraction: pore", "IoU: pore"]
    assert otsu == ["otsu", "0.300 ± 0.058", "0.75"]  # 0.2 to 0.4 evenly: standard deviation 0.2 / sqrt(12) = 0.0577
    assert background == ["all_background", "0", "0"]
    words = " ".join(found.words)
    assert "known for 10 of 150" in words
    assert "ingest: 120" in words
    assert "128 × 96 px" in words


def test_the_same_tables_give_the_same_bytes_in_another_folder(page, tmp_path_factory, monkeypatch):
    first = page(mine={}, other={}).read_bytes()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    write_report({name: content(name) for name in ("mine", "other")}, "report.html")
    assert Path("report.html").read_bytes() == first


def test_what_is_missing_is_named_and_the_rest_is_shown(page, tmp_path):
    contents = {"mine": content("mine"), "whole": content("whole")}
    for path in ("tables/fractions.csv", "tables/rejected.csv", "tables/items.csv", "figures/fractions.svg"):
        (tmp_path / "results/mine" / path).unlink() if (tmp_path / "results/mine" / path).exists() else None
    shutil.rmtree(Path("results/mine/segment"), ignore_errors=True)
    shutil.rmtree(Path("results/mine/tables"), ignore_errors=True)
    io.write_text(
        "logs/mine/segment/otsu/0000.log", "segment\nfailed: segment [shard=0000]: OSError: <script>alert(1)\n"
    )
    io.write_text("logs/mine/segment/otsu/0001.log", "segment\ndone\n")
    write_report(contents, "report.html")
    found = Page(Path("report.html").read_text())
    words = " ".join(found.words)
    assert "Not finished." in words
    assert "1 job failed: segment [shard=0000]: OSError: <script>alert(1)" in " ".join(words.split())
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "results/mine/segment/otsu/overlays/all.zip" in words
    assert "whole-fractions" in found.rows and "mine-fractions" not in found.rows


def test_a_study_without_segmentation_or_rows_is_reported(page):
    empty = pd.DataFrame({"key": [], "item": [], "height_px": [], "width_px": [], "pixel_size_um": []})
    page()
    io.write_csv("results/bare/tables/items.csv", empty)
    io.write_csv("results/bare/tables/rejected.csv", pd.DataFrame({"item": [], "stage": [], "reason": []}))
    bare = content("bare", methods=[], overlays={}, figures={}, main_table="items")
    io.write_csv("results/bare/tables/items.csv", empty)
    io.write_csv("results/bare/tables/rejected.csv", pd.DataFrame({"item": [], "stage": [], "reason": []}))
    bare["tables"] = {table: bare["tables"][table] for table in ("items", "rejected")}
    write_report({"bare": bare}, "report.html")
    words = " ".join(Page(Path("report.html").read_text()).words)
    assert "None: every item was used." in words
    assert "No rows." in words


def test_pictures_are_small_enough_to_send(page):
    path = page()
    thumbs = [
        attrs["src"] for tag, attrs in Page(path.read_text()).tags if attrs.get("src", "").startswith("data:image/j")
    ]
    assert len(thumbs) == 2
    assert all(len(thumb) * 3 / 4 <= overlay.THUMB_BYTES + 100 for thumb in thumbs)


def chromium(tmp_path, url, *words):
    """Open a page without a network, and return it as it stands after its script ran."""
    browser = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if browser is None:
        pytest.skip("no Chromium on this machine; install the package 'chromium' to check the page in a browser")
    quiet = "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    quiet += " disable-component-update disable-sync hide-scrollbars"
    flags = [f"--{word}" for word in quiet.split()]
    command = [browser, *flags, f"--user-data-dir={tmp_path / 'profile'}", *words, "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return Page(done.stdout)


def test_a_link_sorts_a_table_in_a_browser(page, tmp_path):
    url = page().as_uri()
    plain = chromium(tmp_path, url)
    assert [row[3] for row in plain.rows["mine-fractions"][1:3]] == ["pore", "pore"]
    found = chromium(tmp_path, f"{url}#sort=mine-fractions:area_fraction:desc")
    values = [float(row[-1]) for row in found.rows["mine-fractions"][1:]]
    assert values == sorted(values, reverse=True) and values[0] > values[-1]
    heads = [attrs["aria-sort"] for tag, attrs in found.tags if tag == "th"]
    assert heads.count("descending") == 1
    rejected = chromium(tmp_path, f"{url}#sort=mine-rejected:item:asc").rows["mine-rejected"]
    assert [row[0].rsplit(" ", 1)[1] for row in rejected[1:5]] == ["0", "1", "2", "3"]  # as people count


def test_a_link_opens_a_picture_in_a_browser(page, tmp_path):
    url = page().as_uri()
    closed = dict(chromium(tmp_path, url).tags)["dialog"]
    found = chromium(tmp_path, f"{url}#open=mine-otsu-5")
    assert "open" not in closed and "open" in dict(found.tags)["dialog"]
    assert "field_003 · otsu" in found.words
    nothing = chromium(tmp_path, f"{url}#open=%E0%A4%A:<b>")
    assert "open" not in dict(nothing.tags)["dialog"]


PROBE = """<script>
const say = (words) => { document.title = words; };
addEventListener("load", () => {
  const head = document.querySelector("#mine-fractions th:last-child button");
  head.focus(); head.click(); head.click();
  const thumb = document.querySelector(".thumb");
  thumb.click();
  const viewer = document.getElementById("viewer"), was = viewer.open;
  viewer.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  const caption = viewer.querySelector("p").textContent;
  viewer.close();
  setTimeout(() => say([innerWidth, document.documentElement.scrollWidth, head.parentElement.getAttribute("aria-sort"),
    was, viewer.open, caption, document.activeElement.id, location.hash].join("|")), 50);
});
</script>"""


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_fits_its_window_and_answers_clicks(page, tmp_path, width):
    path = page(mine={}, other={})
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')  # the probe is a script of its own
    frame = tmp_path / "frame.html"
    probe = path.with_name("probe.html")
    probe.write_text(policy.sub("", path.read_text()).replace("</body>", PROBE + "</body>"))
    # Windows of headless browsers have a least width; a frame has none.
    frame.write_text(
        f'<iframe src="{probe.as_uri()}" style="width:{width}px;height:900px;border:0"></iframe>'
        '<script>addEventListener("load", () => setTimeout(() => { document.body.dataset.told ='
        " document.querySelector('iframe').contentDocument.title; }, 300));</script>"
    )
    found = chromium(
        tmp_path,
        frame.as_uri(),
        "--allow-file-access-from-files",
        "--virtual-time-budget=4000",
        "--window-size=1500,1000",
    )
    told = dict(found.tags)["body"]["data-told"].split("|")
    inner, content_width, sorted_as, opened, still, caption, focused, link = told
    assert int(inner) == width
    assert int(content_width) <= width
    assert sorted_as == "descending"
    assert (opened, still) == ("true", "false")
    assert caption == "field_003 · otsu"
    assert focused == "mine-otsu-5"
    assert link == "#mine-overlays"


SETTINGS = {"segment": {"otsu": {}}, "quantify": {"fractions": {}}}


@pytest.mark.slow
def test_a_broken_method_leaves_a_report_of_the_rest_and_the_next_run_mends_it(house, pictures):
    otsu = house.folder / "workflow/matlens/segment/otsu.py"
    good = otsu.read_text()
    otsu.write_text(good + "\nsegment = None\n")
    house.study("mine", ingest={"files": {"path": f"{pictures}/*"}}, **SETTINGS)
    house.study("bare", ingest={"files": {"path": f"{pictures}/*"}})
    done = house.run(studies="mine,bare")
    assert done.returncode != 0
    page = house.folder / "results/report.html"
    words = " ".join(Page(page.read_text()).words)
    assert "Not finished." in words
    assert "results/mine/segment/otsu/overlays/all.zip" in words
    otsu.write_text(good)
    done = house.run(studies="mine,bare")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not finished." not in page.read_text()


def test_lengths_are_averaged_in_one_unit_whatever_parts_the_table_comes_in():
    frame = pd.DataFrame(
        {"method": "otsu", "equivalent_diameter_px": [10.0, 20.0], "equivalent_diameter_um": [1.0, 2.0]}
    )
    frame["item"] = ["a", "b"]
    half = frame.assign(equivalent_diameter_um=[1.0, float("nan")])
    none = frame.assign(equivalent_diameter_um=float("nan"))
    assert html.averages("regions", [frame]) == {
        "otsu": {"equivalent diameter / µm": (1.5, pytest.approx(0.7071, 1e-3), 2)}
    }
    for parts in ([half], [half[:1], half[1:]]):
        (found,) = html.averages("regions", parts)["otsu"].items()
        assert found[0] == "equivalent diameter / µm (1 of 2 images)" and found[1][::2] == (1.0, 1)
    for parts in ([none], [none[:1], none[1:]]):
        assert html.averages("regions", parts)["otsu"]["equivalent diameter / px"][::2] == (15, 2)


def test_overlays_are_shown_once_and_leave_no_empty_section(page):
    picture = content("mine")["figures"]
    tags = Page(page(mine={"figures": {"overlays": next(iter(picture.values()))}}).read_text()).tags
    ids = {attrs.get("id") for _, attrs in tags}
    assert "mine-overlays" in ids and "mine-figures" not in ids
