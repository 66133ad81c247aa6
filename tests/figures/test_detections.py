"""Detections over their images, and precision against recall: every method is drawn, with F1 beside every count."""

import numpy as np
import pandas as pd
from figures import detections, precision_recall
from matlens import objects
from matlens.detect import scores, shard, summary
from matlens.report import overlay

INDEX = pd.DataFrame({"item": ["a", "b"], "key": [0, 1]})


def made():
    """Judge three discs, of which one is missed, in two images."""
    y, x = np.mgrid[:60, :80]
    truth = np.zeros((60, 80), np.int32)
    for number, (cy, cx) in enumerate([(15, 15), (40, 30), (30, 65)], start=1):
        truth[np.hypot(y - cy, x - cx) <= 8] = number
    found = objects.circles(np.array([15.0, 40, 5]), np.array([16.0, 30, 70]), np.full(3, 8.0), truth.shape)
    found.insert(0, "score", [0.9, 0.5, 0.7])
    tables, lost = shard.judged([found], [truth], 5.0)
    rows = [
        {"item": item, "split": "test", **row}
        for item in "ab"
        for row in scores.score([found], {}, [truth], gate_px=5, iou=0.5)
    ]
    order = [
        {"item": i, "split": "test", **r} for i in "ab" for r in scores.ranked([found], [truth], gate_px=5, iou=0.5)
    ]
    seen = pd.concat([tables[0].assign(item=i, frame=0) for i in "ab"])
    gone = pd.concat([lost[0].assign(item=i, frame=0) for i in "ab"])
    return seen, gone, pd.DataFrame(rows), pd.DataFrame(order)


def test_the_legend_has_the_marks_that_are_there():
    seen, gone, judged, _ = made()
    picture = overlay.png(np.full((60, 80), 100, np.uint8))

    def words(table, lost):
        figure = detections.draw({"blobs": table}, {"blobs": lost}, {"blobs": {0: picture}}, {"blobs": judged}, INDEX)
        return [text.get_text() for legend in figure.legends for text in legend.get_texts()]

    assert words(seen, gone) == ["right", "false", "missed"]
    assert words(seen[:0], gone) == ["right", "false", "missed"]
    assert words(seen.assign(outcome=""), gone[:0]) == ["not judged"]
    assert words(seen[:0], gone[:0]) == []


def test_every_method_has_a_column_and_no_count_stands_without_f1():
    seen, gone, judged, _ = made()
    picture = overlay.png(np.full((60, 80), 100, np.uint8))
    names = ("rcnn.a", "blobs")
    figure = detections.draw(
        dict.fromkeys((*names, "shuffled"), seen),
        dict.fromkeys(names, gone),
        {name: {0: picture, 1: picture} for name in names},
        {"rcnn.a": judged.assign(split=judged["item"].map({"a": "train", "b": "test"})), "blobs": judged},
        INDEX,
    )
    assert len(figure.axes) == 4
    titles = [panel.get_title() for panel in figure.axes]
    assert [title.partition("\n")[0] for title in titles] == ["rcnn.a (train)", "blobs", "rcnn.a", "blobs"]
    assert all("F1 0.67" in title and "count +0 %" in title for title in titles)
    assert all(
        len(panel.collections[0].get_paths()) == 3 and len(panel.lines[0].get_xdata()) == 1 for panel in figure.axes
    )


def test_an_item_that_a_method_rejected_is_not_drawn_as_one_where_it_found_nothing():
    seen, gone, judged, _ = made()
    picture = overlay.png(np.full((60, 80), 100, np.uint8))
    held = {name: {0: picture} for name in ("rcnn", "blobs")}
    less = {name: table[table["item"] != "a"] for name, table in (("d", seen), ("m", gone), ("s", judged))}
    given = ({"rcnn": less["d"], "blobs": seen}, {"rcnn": less["m"], "blobs": gone})
    figure = detections.draw(*given, held, {"rcnn": less["s"], "blobs": judged}, INDEX)
    assert figure.axes[0].get_title() == "rcnn\nrejected"
    assert figure.axes[1].get_title().startswith("blobs\nF1")


def test_the_chosen_threshold_lies_on_the_curve():
    _, _, judged, order = made()
    curve, pooled = summary.curves(judged, order), summary.pooled(judged, order)
    figure = precision_recall.draw({"blobs": curve, "rcnn": curve}, {"blobs": pooled, "rcnn": pooled})
    assert len(figure.axes) == 3
    line, dot = figure.axes[0].lines[:2]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) in list(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert list(line.get_xdata()) == [1 / 3, 1 / 3, 2 / 3]  # the false alarm lies between the right ones
