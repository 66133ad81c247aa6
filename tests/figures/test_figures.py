"""Figures draw their tables, the same bytes anywhere, with any name of an item."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from figures import DRAWS, FIGURES, overlays, scores, sizes, style
from figures import coarsening as coarsening_figure
from figures import field_scores as field_scores_figure
from figures import fractions as fractions_figure
from matlens import registry
from matlens.crystal import structures
from matlens.plan import study
from matlens.report import letters, overlay
from matplotlib.text import Text

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> $\\frac{$ 日本 & \x07"


def fractions(items=("a", "b"), value=0.25, error=0.02):
    rows = [
        {"item": item, "phase": phase, "phase_name": name, "area_fraction": part, "area_fraction_error": error}
        for item in items
        for phase, name, part in ((0, "matrix", 1 - value), (1, "pore", value))
    ]
    return pd.DataFrame(rows)


def scored(values):
    return pd.DataFrame({"item": range(len(values)), "phase": 1, "phase_name": "pore", "iou": values})


def grown(series="", start=1.0, rate=0.1):
    """Make the two tables of a series that obeys r**3 = start**3 + rate * t."""
    time = np.array([0.0, 10.0, 20.0, 70.0])
    radius = np.cbrt(start**3 + rate * time)
    names = {"series": series, "phase": 1, "phase_name": "pore"}
    growth = pd.DataFrame({**names, "time_h": time, "mean_radius_um": radius, "mean_radius_error_um": 0.01})
    law = {"exponent": 3.1, "exponent_low": 2.7, "exponent_high": 3.4}
    law |= {"initial_radius_um": start, "rate_um3_per_h": rate, "initial_radius_px": np.nan, "rate_px3_per_h": np.nan}
    return growth, pd.DataFrame([{**names, **law}])


def field_scores():
    rows = [("test", c, f, m, 0.1) for c, f in ((False, "unet"), (True, "cut")) for m in ("rel_l2", "equilibrium")]
    return pd.DataFrame(rows, columns=["split", "control", "field", "measure", "mean"])


def agreeing():
    """Judge two items by published fields and by their hot spots."""
    measures = {"published_rel_l2_fluctuation_strain_zz": 1e-3, "hot_spot_found": 1.0, "hot_spot_first": 0.0}
    rows = [{"item": item, "measure": m, "value": v} for item in (HOSTILE, "b") for m, v in measures.items()]
    return pd.DataFrame(rows).assign(field="unet", control=False, split="test")


def spotted():
    row = {"x_px": 3.0, "y_px": 2.0, "rate_m_per_s": 2e-9, "rate_low_m_per_s": 1e-9, "rate_high_m_per_s": 3e-9}
    return pd.DataFrame([{"item": item, "rank": rank, **row} for item in (HOSTILE, "b") for rank in (1, 2)])


def fitted() -> dict:
    """Make the tables of one fit, of a pair of hostile name."""
    cells = pd.DataFrame({"pair": f"{HOSTILE}-b", "mole_fraction": [0.25, 0.5], "role": ["ordered", "quasi_random"]})
    cells = cells.assign(energy_mev_per_atom=[-10.0, -5.0], fitted_mev_per_atom=[-10.0, -6.0])
    found = pd.DataFrame({"pair": f"{HOSTILE}-b", "transition": ["L1_0", "demixing"], "temperature_k": [300.0, 0.0]})
    return {
        "fitted_cells": {"fit": cells},
        "transitions": {"fit": found.assign(low_k=[250.0, np.nan], high_k=[350.0, np.nan])},
    }


def tables():
    """Give every figure something to draw, with hostile names."""
    image = overlay.paint(np.zeros((20, 30)), np.eye(20, 30, dtype=np.uint8), None, width_px=64)
    index = pd.DataFrame({"key": [0, 1], "item": [HOSTILE, "b"], "time_h": [0.0, 10.0]})
    regions = pd.DataFrame({"item": HOSTILE, "equivalent_diameter_px": np.exp(np.linspace(0, 2, 50))})
    pictures = {0: overlay.png(image), 1: overlay.png(image)}
    return {
        **equilibrated(),
        **fitted(),
        "index": index,
        "overlays": {"otsu": pictures, "all_background": {0: pictures[0]}},
        **restored(),
        "fractions": {"otsu": fractions([HOSTILE, "b"]), "all_background": fractions([HOSTILE, "b"], 0.0)},
        "regions": {"otsu": regions},
        "fields": {"0000": strained},
        "predicted_fields": {"0000": strained},
        "field_scores": {"unet": field_scores()},
        "effective": {"stokes": flowed()},
        "field_quality": {"fft": agreeing(), "unet": agreeing()},
        "hot_spots": {"fft": spotted(), "unet": spotted()},
        "scores": {"otsu": scored([0.5, 0.7]).assign(item=HOSTILE)},
        "growth": {"otsu": grown(HOSTILE)[0]},
        "coarsening": {"otsu": grown(HOSTILE)[1]},
        "history": {"unet": history()},
        **predicted(),
        "published": None,
        "two_point": {"otsu": curve("two_point_probability")},
        "lineal_path": {"otsu": curve("lineal_path_probability")},
        "grain_size": {"otsu": intercepts()},
        "benchmark": benchmarked(),
        "ood": clustered(),
        "hits": screened(),
        **two_salts(),
        **shortlisted(),
        "rounds": {"greedy": asked(), "random": asked(0.5)},
        "asked": {"greedy": judged(), "random": judged()},
        "transfer": {"greedy": taught(), "random": taught()},
        **followed(),
        **detected(),
        **generated(),
    }


def flowed():
    """Make the permeabilities of two items, by their flow and by their surface."""
    row = {"item": HOSTILE, "row": "x", "column": "x", "value": 2e-13, "unit": "m2"}
    rows = [row, row | {"item": "b", "value": 4e-13}]
    return pd.DataFrame([*rows, *(each | {"row": "kozeny_carman", "column": "", "value": 3e-13} for each in rows)])


def test_published_permeabilities_are_found_by_their_place_and_direction():
    from figures import permeability

    index = pd.DataFrame({"item": [HOSTILE, "b"], "block_x_px": [0, 128]})
    published = pd.DataFrame(
        [{"start": start, "direction": way, "K": value} for start, way, value in
         ((128, "X", 2e-13), (0, "X", 4e-13), (0, "Y", 9e-13), (256, "X", 1e-13))]
    )  # fmt: skip
    options = {"reference_columns": {"block_x_px": "start", "value": "K"}, "reference_rows": {"direction": "X"}}
    title = permeability.draw({"stokes": flowed()}, index, published, **options).axes[0].get_title(loc="left")
    assert "flow / published: 1.00 (0.50 to 2.00)" in title and "flow / Kozeny-Carman: 0.94 (0.67 to 1.33)" in title
    with pytest.raises(ValueError, match="names 'beginning'"):
        wrong = {"block_x_px": "beginning", "value": "K"}
        permeability.draw({"stokes": flowed()}, index, published, reference_columns=wrong)


def screened():
    """Make the hits of two methods among 10 and 50 candidates."""
    rates = {"hit_rate": 0.6, "hit_rate_low_95": 0.5, "hit_rate_high_95": 0.7, "chance_rate": 0.1}
    return pd.DataFrame([{"model": m, "chosen": k, **rates} for m in (HOSTILE, "mean") for k in (10, 50)])


def detected():
    """Make two detections of an item, right and false, its picture, and a curve of precision over recall."""
    row = {"item": HOSTILE, "frame": 0, "x_px": 4.0, "y_px": 3.0, "major_axis_px": 4.0, "minor_axis_px": 2.0}
    rows = [row | {"orientation_deg": 30.0, "outcome": "tp"}, row | {"x_px": 9.0, "outcome": "fp"}]
    judged = {"item": HOSTILE, "split": "test", "control": "", "match": "centre", "f1": 0.5, "count_error": 0.1}
    point = {"split": "test", "control": "", "match": "iou", "f1": 0.5}
    curve = [point | {"recall": r, "precision": p} for r, p in ((0.2, 1.0), (0.6, 0.5))]
    return {
        "detections": {"blobs": pd.DataFrame(rows)},
        "detection_scores": {"blobs": pd.DataFrame([judged])},
        "pictures": {"blobs": {0: overlay.png(np.zeros((10, 12, 3), np.uint8))}},
        "precision_recall": {"blobs": pd.DataFrame(curve)},
        "detection_summary": {"blobs": pd.DataFrame(curve[1:])},
    }


def generated():
    """Make generated images of two conditions, their nearest training images, and their quality."""
    rows = [{"asked_fraction": a, "measured_fraction": a + e} for a in (0.2, 0.4) for e in (-0.01, 0.02)]
    ratio = [{"place": p, "measure": "two_point", "value": 0.1, "ratio": 1.5} for p in ("trained", "interpolated")]
    slope = {"place": "trained", "measure": "slope of fraction", "value": 0.9, "ratio": np.nan}
    near = {"place": "all", "measure": "nearest correlation", "value": 0.4, "ratio": 1.2}
    quality = pd.DataFrame([*ratio, slope, near, near | {"measure": "nearest correlation, p", "value": 0.3}])
    methods, table = ("ddpm", "real"), pd.DataFrame(rows).assign(item=HOSTILE, nearest_correlation=0.4)
    picture = overlay.png(np.zeros((8, 16, 3), np.uint8))
    trip = {"by": "latent", "target": HOSTILE, "target_fraction": 0.3, "error_of_fraction": 0.01}
    picked = pd.DataFrame([trip | {"rank": k, "picked_fraction": 0.3 + 0.01 * k} for k in (1, 2)])
    codes = {"item": HOSTILE, "split": ["train", "val"], "measured_fraction": [0.2, 0.4], "latent_1": [-1.0, 1.0]}
    return {
        "picked": {"vae": picked},
        "latent": {"vae": pd.DataFrame(codes)},
        "generated": dict.fromkeys(methods, table),
        "samples": dict.fromkeys(methods, dict.fromkeys(range(4), picture)),
        "generation_quality": dict.fromkeys(methods, quality),
    }


def followed():
    """Make a track of two items, its frame, and an object that was missed."""
    row = {"series": "all", "frame": 0, "track": 1, "y_px": 5.0, "x_px": 6.0, "major_axis_px": 4.0}
    rows = [row | {"item": HOSTILE, "outcome": "tp"}, row | {"item": "b", "outcome": "fp", "x_px": 9.0}]
    found = pd.DataFrame(rows).assign(detected_by="blobs").astype({"track": "Int64"})
    lost = pd.DataFrame({"item": [HOSTILE], "frame": 0, "y_px": 1.0, "x_px": 2.0})
    picture = overlay.png(np.zeros((10, 12, 3), np.uint8))
    return {
        "tracks": {"hungarian": found, "nearest": found},
        "missed": {"blobs": lost},
        "track_frames": {"hungarian": {0: picture}, "nearest": {1: picture}},
    }


class Strained(dict):
    """The fields of a shard: a component that grows along x, one that is 0, and the stresses."""

    def attrs(self, key):
        names = ["strain_xx", "strain_yy", "strain_xy", "stress_xx", "stress_yy", "stress_xy"]
        return {"item": HOSTILE if key == 0 else "b", "components": names, "unit": ["1"] * 3 + ["GPa"] * 3}

    def layer(self, key, name):
        return np.tri(8, 10, dtype=np.uint8)


@contextmanager
def strained():
    x = np.linspace(-0.2, 1, 10) * np.ones((8, 1))
    yield Strained({0: np.stack([x, 0 * x, x - 0.4, 3 * x, 1 + 0 * x, x]), 1: np.ones((6, 8, 10))})


def restored():
    """Make previews and quality of two restorations of one item."""
    picture = {0: overlay.png(np.tile(np.arange(48, dtype=np.uint8) * 5, (20, 1)))}
    names = [f"autocorrelation_{side}_{lag}" for side in ("rows", "columns") for lag in range(1, 6)]
    names += [f"residual_spectrum_{band}" for band in range(1, 9)]
    quality = pd.DataFrame({"item": HOSTILE, "measure": names, "value": np.linspace(-0.1, 0.1, 18)})
    methods = ("tv", "gaussian.wide", "identity")
    return {"previews": dict.fromkeys(methods, picture), "quality": dict.fromkeys(methods, quality)}


def test_long_names_of_restorations_are_broken_and_items_of_the_training_are_marked():
    from figures import restoration

    assert restoration._lines("super_resolution_cubic.four", 13) == "super_\nresolution_\ncubic.four"
    assert restoration._lines("tv", 13) == "tv" and restoration._lines("x" * 40, 13) == "x" * 40
    made = restored()
    made["quality"] = {name: table.assign(split="train") for name, table in made["quality"].items()}
    figure = restoration.draw(**made, index=pd.DataFrame({"key": [0], "item": [HOSTILE]}))
    assert figure.axes[0].get_ylabel().endswith("(train)")


def judged():
    """Make the verdicts of two rounds: of three within the limits the second is beaten by the third."""
    rows = [(1, 1300.0, 90.0, True), (1, 1310.0, 40.0, True), (2, 1320.0, 60.0, True), (2, 1400.0, 5.0, False)]
    made = pd.DataFrame(rows, columns=["round", "solvus", "window", "feasible"])
    made = made.assign(item=HOSTILE, status="accepted", reason="computed", solvus_spread=5.0, replicate=0)
    return made[["round", "replicate", "item", "status", "reason", "solvus", "window", "solvus_spread", "feasible"]]


def taught():
    row = {"replicate": 0, "quantity": HOSTILE, "held_out": 8, "mae_before": 20.0, "mae_after": 10.0}
    return pd.DataFrame([row | {"round": 2}, row | {"round": 3, "mae_after": 5.0}])


def test_twelve_phases_have_twelve_colours():
    assert len(set(style.colours([f"phase {k}" for k in range(12)]).values())) == 12


def test_the_best_compromises_are_those_that_nothing_beats_within_the_limits():
    from figures import trade_off

    figure = trade_off.draw({"greedy": judged()})
    line = next(one for one in figure.axes[0].lines if one.get_label() == "best compromises")
    assert line.get_xydata().tolist() == [[1300.0, 90.0], [1320.0, 60.0]]
    with pytest.raises(ValueError, match="did you mean 'window'"):
        trade_off.draw({"greedy": judged()}, y="windw")


def test_rounds_are_explained_in_their_order():
    from figures import trade_off

    table = pd.concat([judged().head(1).assign(round=number) for number in range(1, 12)])
    words = [one.get_text() for one in trade_off.draw({"greedy": table}).legends[0].get_texts()]
    assert words == [*(f"round {number}" for number in range(1, 12)), "best compromises"]


def equilibrated():
    """Make equilibria of an alloy in two databases, a tie line and a triangle, a verdict, and a bridge."""
    rows = [
        {"item": HOSTILE, "database": base, "structure": name, "T_K": t, "np_mole": part, "status": "ok"}
        for base in (HOSTILE, "pycalphad:b.tdb")
        for t, share in ((1000.0, 0.6), (1100.0, 0.4))
        for name, part in (("fcc_a1", 1 - share), ("l1_2", share))
    ]
    found = pd.DataFrame(rows).assign(volume_fraction=np.nan)
    ends = [(0, 2, "fcc_a1", 0.9, 0.1, 0.0), (0, 2, "l1_2", 0.75, 0.25, 0.0), (1, 3, "b2", 0.5, 0.5, 0.0)]
    ends += [(1, 3, "l1_2", 0.7, 0.28, 0.02), (1, 3, "fcc_a1", 0.6, 0.1, 0.3)]
    ties = pd.DataFrame(ends, columns=["tie", "phases", "structure", "x_Ni", "x_Al", "x_Cr"])
    verdict = {"item": HOSTILE, "engine": "calphad", "status": "accepted", "quantity": "solvus_l1_2", "value": 1300.0}
    verdict |= {"unit": "K", "uncertainty": 5.0, "predicted": np.nan, "reason": "within limits", "checksum": "0"}
    one = {"item": HOSTILE, "method": "otsu", "phase_name": HOSTILE, "structure": "l1_2", "temperature_k": 1000.0}
    one |= {"measured": 0.5, "measured_low": 0.4, "measured_high": 0.6, "basis": "moles of atoms, not volume"}
    met = pd.DataFrame([one | {"database": base, "calphad": part} for base, part in ((HOSTILE, 0.6), ("b", 0.5))])
    return {
        "equilibria": {"calphad": found},
        "diagram": {"calphad": ties.assign(database=HOSTILE, T_K=1073.0)},
        "verdicts": {"calphad": pd.DataFrame([verdict])},
        "bridge": met,
        "expected": found,
    }


def test_a_phase_that_is_gone_is_drawn_at_zero():
    from figures import phase_fractions

    table = equilibrated()["equilibria"]["calphad"]
    table = table[~((table["structure"] == "l1_2") & (table["T_K"] == 1100.0))]
    panel = phase_fractions.draw({"calphad": table}).axes[0]
    assert sorted(line.get_ydata()[-1] for line in panel.lines) == [0.0, 0.0, 0.6, 0.6]


def test_a_phase_has_one_colour_in_the_diagram_and_in_the_fractions():
    from figures import phase_diagram, phase_fractions

    given = equilibrated()
    index = pd.DataFrame({"item": [HOSTILE], "x_Ni": [0.8], "x_Al": [0.1], "x_Cr": [0.1]})
    more = given["equilibria"]["calphad"]
    more = {"calphad": pd.concat([more, more.assign(structure="a_first_of_all")])}
    diagram = phase_diagram.draw(given["diagram"], index, None, None, more)
    fractions = phase_fractions.draw(more, given["diagram"])
    marks = {line.get_label(): line.get_color() for line in diagram.axes[0].lines}
    shown = {line.get_label(): line.get_color() for line in fractions.legends[0].get_lines()}
    both = set(marks) & set(shown)
    assert both and {name: marks[name] for name in both} == {name: shown[name] for name in both}


def test_the_corners_of_a_section_are_the_elements_and_candidates_lie_where_they_are_made():
    from figures import phase_diagram

    given = equilibrated()
    index = pd.DataFrame({"item": [HOSTILE], "x_Ni": [0.0], "x_Al": [0.0], "x_Cr": [1.0]})
    panel = phase_diagram.draw(given["diagram"], index, given["verdicts"]).axes[0]
    mark = next(line for line in panel.lines if line.get_label() == "accepted")
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == pytest.approx((0.5, 3**0.5 / 2))
    assert [text.get_text() for text in panel.texts[:3]] == ["Ni", "Al", "Cr"]


def test_candidates_of_two_elements_stand_at_the_foot_of_their_diagram():
    from figures import phase_diagram

    ends = [(0, 2, "fcc_a1", 0.9, 0.1, 900.0), (0, 2, "l1_2", 0.76, 0.24, 900.0), (1, 2, "l1_2", 0.75, 0.25, 1000.0)]
    ties = pd.DataFrame(ends, columns=["tie", "phases", "structure", "x_Ni", "x_Al", "T_K"]).assign(database="d")
    verdicts = pd.DataFrame({"item": ["a", "b"], "status": ["accepted", "rejected"]})
    index = pd.DataFrame({"item": ["a", "b"], "x_Ni": [0.8, 0.7], "x_Al": [0.2, 0.2], "x_Cr": [0.0, 0.1]})
    figure = phase_diagram.draw({"calphad": ties}, index, {"calphad": verdicts})
    marked = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert marked["accepted"] == [[pytest.approx(0.2), 900.0]]
    assert "rejected" not in marked  # it has chromium, and is not of this diagram


def test_the_bridge_puts_the_measured_fraction_on_the_curve_of_equilibrium():
    from figures import bridge

    given = equilibrated()
    left = bridge.draw(given["bridge"], given["expected"]).axes[0]
    curve = next(line for line in left.lines if len(line.get_xdata()) == 2 and line.get_color() == style.INK)
    assert curve.get_ydata() == pytest.approx([0.6, 0.4])
    points = left.containers[0][0]
    assert (points.get_xdata()[0], points.get_ydata()[0]) == (1000.0, 0.5)
    assert "of atoms, not volume" in left.get_ylabel()


def shortlisted():
    """Make a shortlist of two candidates out of three, by two properties."""
    names, values = ["hardness", "cost"], {"a": (3.0, 1.0), HOSTILE: (2.0, 0.5), "c": (1.0, 2.0)}
    every = pd.DataFrame(values.values(), columns=names).assign(item=list(values))
    long = every.melt("item", var_name="property", value_name="predicted")
    wide = pd.DataFrame([values["a"], values[HOSTILE]], columns=names).assign(item=["a", HOSTILE], pareto_front=1)
    wide = wide.assign(formula=["NiAl", HOSTILE], **{f"{name}_std": 0.1 for name in names})
    return {"shortlist": {"weighted": wide}, "screened": {"weighted": every}, "properties": {"pretrained": long}}


def asked(speed=1.0):
    """Make what three rounds of a loop brought, in two replicates."""
    rows = [(number, replicate) for number in range(3) for replicate in range(2)]
    table = pd.DataFrame(rows, columns=["round", "replicate"])
    best = speed * table["round"] + 0.1 * table["replicate"]
    return table.assign(verdicts=20 * (table["round"] + 1), best_hardness_hv=best)


def two_salts():
    """Make the atoms of a network for two primitive cells of rock salt, and the crystals themselves."""
    half = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    salt = structures.Crystal(5.6 * half, np.array([11, 17], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    packed = structures.pack([0, 1], [HOSTILE, "b"], [salt, salt])
    table = pd.DataFrame({"item": np.repeat(packed.item, 2), "element": ["Na", "Cl"] * 2, "site_value": [1, 2, 3, 4.0]})
    frac = dict(zip(("frac_x", "frac_y", "frac_z"), packed.frac.T, strict=True))
    table["quantity"] = HOSTILE
    return {"sites": {"cgcnn": table.assign(**frac)}, "structures": {"0000": packed}}


def test_atoms_on_corners_are_drawn_on_all_of_them_and_coloured_by_their_own_value():
    from figures import sites

    figure = sites.draw(**two_salts(), items=2)
    for panel, values in zip(figure.axes[:2], ([1, 2], [3, 4]), strict=True):
        colours = np.asarray(panel.collections[0].get_array())
        assert sorted(colours) == [values[0]] * 8 + [values[1]]  # Na on eight corners, Cl within
        assert panel.collections[0].norm.vmin == 1 and panel.collections[0].norm.vmax == 4
        assert len(panel.lines) == 12  # edges of the cell


def test_the_view_keeps_lengths_and_the_nearer_atom_is_drawn_last():
    from figures import sites

    turned = sites.seen(np.eye(3))
    np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turned) > 0  # no mirror image
    table = two_salts()
    place = np.asarray(sites.draw(**table, items=1).axes[0].collections[0].get_offsets())
    cell, (frac, _) = table["structures"]["0000"].cell[0], sites.with_faces(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    eye = sites.seen(frac @ cell)
    np.testing.assert_allclose(place, eye[np.argsort(eye[:, 2], kind="stable"), :2])


def test_every_training_has_a_line_of_its_own():
    from figures import losses

    both = pd.concat([history().assign(fold=fold, member=0) for fold in (0, 1)])
    figure = losses.draw({"cgcnn": both.rename(columns={"score": "validation_mae"})})
    runs = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 4]
    assert len(runs) == 4  # train_loss and val_loss, twice
    assert figure.axes[0].get_title(loc="left") == "cgcnn: 2 trainings"
    assert figure.axes[1].get_lines()[0].get_label() == "validation mae"


def test_learning_curves_of_controls_alone_are_not_drawn():
    from figures import predictions

    given, curve = predicted(), pd.DataFrame({"train_items": [4, 8], "mae": [0.3, 0.2], "mae_std": 0.1})

    def titles(**curves):
        shown = {name: given["predictions"][next(iter(given["predictions"]))] for name in curves}
        errors = dict.fromkeys(curves, next(iter(given["errors"].values())))
        panels = predictions.draw(shown, errors, curves).axes
        return [panel.get_title() for panel in panels if panel.get_visible()]

    assert titles(mean=curve) == ["mean"]
    assert titles(ridge=curve, mean=curve) == ["ridge", "mean", "learning curves"]


def test_without_learning_curves_there_is_no_panel_of_them():
    from figures import predictions

    made = predicted()
    made["learning_curve"] = {"ridge": made["learning_curve"]["ridge"].iloc[:0]}
    assert [panel.get_title() for panel in predictions.draw(**made).axes] == ["ridge"]


def benchmarked():
    """Make a table of models on official folds: two of ours, one of them on one fold, and 30 published ones."""
    rows = [{"model": HOSTILE, "origin": "this study", "folds": 5, "score": 1.0, "low_95": 0.9, "high_95": 1.1}]
    rows += [{"model": "one_fold", "origin": "this study", "folds": 1, "score": 50.0, "low_95": 40, "high_95": 60}]
    rows += [{"model": f"m{k}", "origin": "recorded by fold", "folds": 5, "score": k + 2.0} for k in range(30)]
    table = pd.DataFrame(rows).assign(task="jdft2d", metric="mae")
    return table.assign(**{f"fold_{k}": table["score"] * (0.9 + 0.05 * k) for k in range(5)})


def test_variants_of_a_method_are_told_apart_in_a_benchmark():
    table = benchmarked().head(2).assign(model=["deepergatgnn.deep_no_norm", "deepergatgnn.deep_no_skips"])

    def words(folds):
        with style.context():
            panel = registry.call(registry.load(DRAWS, "benchmark"), {"benchmark": table.assign(folds=folds)}, {}).axes[
                0
            ]
            return [label.get_text() for label in panel.get_yticklabels()], panel.get_title()

    assert words(1) == (table["model"].tolist(), "jdft2d, 1 of 5 folds")
    assert words([5, 1]) == ([table["model"][0], f"{table['model'][1]} (1 of 5 folds)"], "jdft2d")


@pytest.mark.parametrize(
    ("metric", "task", "words"),
    [
        ("mae", "steels", "mean absolute error / MPa"),
        ("mae", "log_kvrh", "mean absolute error / log₁₀ GPa"),
        ("mae", "dielectric", "mean absolute error"),  # a refractive index has no unit
        ("rocauc", "glass", "rocauc"),
    ],
)
def test_the_axis_of_a_benchmark_has_the_unit_of_the_target(metric, task, words):
    from figures import benchmark

    figure = benchmark.draw(benchmarked().assign(metric=metric, task=task))
    assert figure.axes[0].get_xlabel() == words


def test_quantities_that_studies_rank_and_learn_have_the_unit_of_their_name():
    """A heat of formation in eV per cell stood on its axis as "heat of formation ev per cell"."""
    named = set()
    for path in sorted((ROOT / "config/studies").glob("*.yaml")):
        settings = study.load(path)
        named |= {*((settings.get("screen") or {}).get("properties") or {})}
        named |= {
            (settings.get("predict") or {}).get("target") or "",
            *(settings.get("generate") or {}).get("conditions", []),
        }
    units = {name: style.axis(name) for name in named if "_per_" in name or name.endswith(("_gpa", "_c", "_w", "_um"))}
    assert {"heat_of_formation_ev_per_cell", "log10_strain_rate_per_s", "temperature_c"} <= {*units}
    assert [name for name, words in units.items() if " / " not in words] == []
    assert units["heat_of_formation_ev_per_cell"] == "heat of formation / eV/cell"


def test_every_official_target_has_its_unit_or_none():
    """Of the targets of Matbench v0.1 that are no classes, the refractive index alone has no unit."""
    from matlens.predict import folds

    assert {*folds.TASKS} - {*style.TASKS} - {*folds.CLASSES} == {"dielectric"}
    assert {*style.TASKS} <= {*folds.TASKS}


def clustered():
    """Make a table of two clusterings, with one method and, in one of them, a published model in distribution."""
    rows = [("LOCO", HOSTILE, "this study", 50, 1.0, 0.8, 1.3)]
    rows += [("SparseXcluster", HOSTILE, "this study", 3, 2.0, 1.0, 3.0)]
    rows += [("LOCO", "RF", "published, in distribution", 50, 0.5, np.nan, np.nan)]
    columns = ["scheme", "model", "origin", "folds", "mae", "low_95", "high_95"]
    return pd.DataFrame(rows, columns=columns).assign(task="jdft2d")


def test_a_published_model_named_as_ours_is_told_apart():
    from figures import benchmark

    table = benchmarked().iloc[[0, 2]].assign(model="alignn")
    assert [label.get_text() for label in benchmark.draw(table).axes[0].get_yticklabels()] == [
        "alignn",
        "alignn, published",
    ]


def test_ours_are_always_among_the_models_that_are_drawn():
    from figures import benchmark

    figure = benchmark.draw(benchmarked(), most=5)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == 5 and "one_fold (1 of 5 folds)" in labels
    assert len(benchmark.draw(benchmarked(), most=1).axes[0].get_yticklabels()) == 2


def test_a_clustering_has_a_panel_and_published_models_a_row():
    from figures import ood

    figure = ood.draw(clustered())
    assert {panel.get_xlabel() for panel in figure.axes} == {"mean absolute error / meV/atom"}
    assert [panel.get_title() for panel in figure.axes] == ["LOCO, 50 clusters", "SparseXcluster, 3 clusters"]
    assert figure.axes[0].get_yticklabels()[1].get_text() == "RF, in distribution"
    marks = [line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert marks == [[[0.5, 1.0]]]


def test_several_tasks_have_a_row_of_panels_each():
    from figures import ood

    other = clustered().assign(task="dielectric").query("scheme == 'LOCO'")
    titles = [panel.get_title() for panel in ood.draw(pd.concat([clustered(), other])).axes]
    assert titles[0] == "jdft2d\nLOCO, 50 clusters" and titles[2] == "dielectric\nLOCO, 50 clusters"


def curve(column):
    """Make a correlation function along one axis."""
    lag = np.arange(11)
    return pd.DataFrame({"item": HOSTILE, "phase": 1, "direction": "x", "lag_px": lag, column: 0.2 * np.exp(-lag / 3)})


def intercepts():
    """Make grain sizes by two procedures, one with a scale that is not known."""
    rows = [("lines", np.nan, 20.0, 2.0), ("lines", 0.0, 19.0, 3.0), ("circles", np.nan, 21.0, 2.5)]
    names = ["procedure", "direction_deg", "mean_lineal_intercept_px", "mean_lineal_intercept_ci95_px"]
    return pd.DataFrame(rows, columns=names).assign(item=HOSTILE, mean_lineal_intercept_um=np.nan)


def test_published_curves_are_drawn_on_their_axis():
    from figures import curves

    reference = pd.DataFrame({"z": np.linspace(0.2, 0, 30)})
    figure = curves.two_point({"otsu": curve("two_point_probability")}, reference, reference_columns={"z": "x"})
    ours, theirs = figure.axes[0].get_lines()
    assert ours.get_label() == "x" and theirs.get_label() == "published z"
    assert theirs.get_xdata().tolist() == [0, 5, 10]


def test_grain_size_is_in_pixels_where_the_scale_is_unknown():
    from figures import grain_size

    figure = grain_size.draw({"otsu": intercepts()})
    assert figure.axes[0].get_xlabel().endswith("px")
    assert len(figure.axes[0].containers) == 2


def test_a_procedure_keeps_its_marker_where_others_found_nothing():
    from figures import grain_size

    names = ["item", "procedure", "mean_lineal_intercept_px"]
    rows = [("a", "circles", np.nan), ("a", "lines", 2.0), ("b", "circles", 1.0), ("b", "lines", 2.0)]
    table = pd.DataFrame(rows, columns=names).assign(direction_deg=np.nan, mean_lineal_intercept_um=np.nan)
    panel = grain_size.draw({"otsu": table}).axes[0]
    bars = [bar.lines[0] for bar in panel.containers]
    shown = {(bar.get_marker(), x) for bar in bars for x in bar.get_xdata()}
    assert shown == {("o", 1.0), ("s", 2.0)} and len(panel.get_legend_handles_labels()[1]) == 2
    none = grain_size.draw({"otsu": table.assign(mean_lineal_intercept_px=np.nan)})
    assert none.axes[0].texts[0].get_text() == "no grain size could be measured"


def history(epochs=4):
    """Make the history of a training whose third epoch was the best."""
    epoch = np.arange(1, epochs + 1)
    score = np.where(epoch == 3, 0.9, 0.5)
    return pd.DataFrame(
        {"epoch": epoch, "train_loss": 1.0 / epoch, "val_loss": 1.1 / epoch, "score": score, "best": epoch == 3}
    )


def predicted(items=6):
    """Make the tables of a prediction; the last item lies outside the training range, and one has no target."""
    target = np.arange(items + 1.0)
    target[-1] = np.nan
    table = pd.DataFrame(
        {"item": HOSTILE, "fold": [0] * items + [-1], "target": target, "predicted": np.arange(items + 1.0)}
    )
    table = table.assign(low_90=table["predicted"] - 1, high_90=table["predicted"] + 1)
    table["outside_training_range"] = [False] * (items - 1) + [True, True]
    errors = pd.DataFrame([{"target": "hardness_hv", "mae": 0.1, "r2": 0.9, "coverage_90": 0.9}])
    curve = pd.DataFrame({"train_items": [2, 4], "mae": [2.0, 1.0], "mae_std": [0.1, 0.1]})
    return {"predictions": {"ridge": table}, "errors": {"ridge": errors}, "learning_curve": {"ridge": curve}}


def test_losses_mark_the_best_epoch():
    from figures import losses

    figure = losses.draw({"unet": history()})
    assert "best epoch 3 of 4" in figure.axes[0].get_title(loc="left")
    assert figure.axes[1].get_lines()[0].get_label() == "score"
    assert figure.axes[0].get_lines()[0].get_marker() == "None"


def test_losses_of_networks_against_each_other_are_told_apart():
    """A loss that is not used, 0 in every epoch, is no line; without scores there is no empty right side."""
    from figures import losses

    table = history().drop(columns=["train_loss", "val_loss", "score"])
    names = ["generator_loss", "cycle_loss", "latent_loss", "critic_loss"]
    table = table.assign(area_loss=0.0, **{name: 1.0 + at for at, name in enumerate(names)})
    (panel,) = losses.draw({"translate": table}).axes
    drawn = [line for line in panel.get_lines() if not line.get_label().startswith("_")]
    assert [line.get_label() for line in drawn] == [name.replace("_", " ") for name in names]
    assert len({line.get_color() for line in drawn}) == len(names)
    beside = losses.draw({"translate": table, "unet": history()}).axes
    assert [one.get_visible() for one in beside] == [True, False, True, True]


def test_generated_images_name_their_conditions_and_the_correlation():
    from figures import generated as generated_figure

    made = generated()
    figure = generated_figure.draw(made["samples"], made["generated"])
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    table = next(iter(made["generated"].values()))
    asked = next(name for name in table if name.startswith("asked_"))
    assert f"{table[asked].iloc[0]:g}, r = {table['nearest_correlation'].iloc[0]:.2f}" in titles
    assert style.axis(asked.removeprefix("asked_")) in figure.get_supxlabel()


def test_losses_of_one_epoch_are_points():
    from figures import losses

    figure = losses.draw({"unet": history().head(1).assign(best=True)})
    curves = [line for panel in figure.axes for line in panel.get_lines() if len(line.get_xdata()) == 1]
    assert curves and {line.get_marker() for line in curves} == {"o"}
    assert [[*panel.get_xticks()] for panel in figure.axes] == [[1], [1]]


def test_predictions_leave_out_items_without_a_target_and_hollow_strangers():
    from figures import predictions

    figure = predictions.draw(**predicted())
    dots = [bar.lines[0] for bar in figure.axes[0].containers]
    assert [len(dot.get_xdata()) for dot in dots] == [5, 1]
    assert dots[1].get_markerfacecolor() == "white"
    assert figure.axes[0].get_xlabel().startswith("hardness")


@pytest.mark.parametrize(
    ("items", "changes", "words"),
    [
        (6, {"r2": np.nan}, "MAE 0.1 HV\nno R²: all targets are equal\n90 % interval covers 90%"),
        (1, {"r2": np.nan, "coverage_90": np.nan}, "MAE 0.1 HV\nno R²: one item"),
        (6, {}, "MAE 0.1 HV\nR² 0.90\n90 % interval covers 90%"),
    ],
)
def test_what_is_not_defined_of_predictions_is_said_in_words(items, changes, words):
    from figures import predictions

    made = predicted()
    made["errors"]["ridge"] = made["errors"]["ridge"].assign(**changes)
    made["predictions"]["ridge"] = made["predictions"]["ridge"].iloc[:items]
    assert [text.get_text() for text in predictions.draw(**made).axes[0].texts] == [words]


def empty(table):
    if table is None:
        return None
    if isinstance(table, pd.DataFrame):
        return table.iloc[:0]
    if any(callable(part) for part in table.values()):  # fields are opened when they are drawn
        return {}
    if not all(isinstance(part, pd.DataFrame) for part in table.values()):
        return {method: {} if isinstance(part, dict) else part[:0] for method, part in table.items()}
    return {method: part.iloc[:0] for method, part in table.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_options_agree_with_the_schema_and_needs_with_the_arguments(name):
    draw = registry.load(DRAWS, name)
    schema = study.read_schema("figures.schema.yaml")["properties"][name]["properties"]
    assert registry.options_of(draw) == {key: part["default"] for key, part in schema.items()}
    needs = [*FIGURES[name]["needs"], *FIGURES[name].get("may", ())]
    assert [name for name in registry.inputs_of(draw) if name != "published"] == needs


def test_the_schema_offers_every_figure():
    assert set(study.read_schema("figures.schema.yaml")["properties"]) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_twice_to_the_same_bytes_without_a_date(name):
    def drawn():
        with style.context():
            return style.svg(registry.call(registry.load(DRAWS, name), tables(), {}))

    text = drawn()
    assert text == drawn()
    assert "dc:date" not in text
    # Letters are paths, no font of the reader's machine is asked for, but for names that the font of the figures lacks.
    written = ["".join(part.itertext()) for part in ElementTree.fromstring(text).iter(f"{SVG}text")]
    assert all(letters.lacking(words) for words in written)
    assert "<script" not in text


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_nothing_says_so(name):
    with style.context():
        figure = registry.call(registry.load(DRAWS, name), {k: empty(v) for k, v in tables().items()}, {})
        style.svg(figure)
    assert figure.axes[0].texts[0].get_text().startswith("no ")


def test_another_folder_and_other_settings_of_the_user_give_the_same_bytes(tmp_path):
    import hashlib

    script = tmp_path / "draw.py"
    script.write_text(
        "import sys, hashlib, numpy as np, pandas as pd\n"
        "from figures import style, sizes\n"
        "t = pd.DataFrame({'equivalent_diameter_px': np.exp(np.linspace(0, 2, 50))})\n"
        "with style.context():\n"
        "    text = style.svg(sizes.draw({'otsu': t}))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    with style.context():
        text = style.svg(sizes.draw({"otsu": pd.DataFrame({"equivalent_diameter_px": np.exp(np.linspace(0, 2, 50))})}))
    (tmp_path / "matplotlibrc").write_text(
        "font.size: 20\nlines.linewidth: 9\nfont.family: serif\nsvg.fonttype: none\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("equivalent_diameter_um", "equivalent diameter / µm"),
        ("area_px2", "area / px²"),
        ("boundary_density_per_um", "boundary density / µm⁻¹"),
        ("number_density_per_px2", "number density / px⁻²"),
        ("time_h", "time / h"),
        ("area_fraction", "area fraction"),
        ("log10_bulk_modulus_gpa", "log₁₀(bulk modulus / GPa)"),
        ("band_gap_ev", "band gap / eV"),
        ("temperature_c", "temperature / °C"),
        ("sample_a", "sample a"),
        ("cost in $", "cost in \\$"),
    ],
)
def test_axes_name_their_units(column, words):
    assert style.axis(column) == words


def test_methods_keep_their_look_and_controls_are_hollow():
    looks = style.look(["otsu", "all_background", "unet", "ground_truth"])
    assert len({look["color"] for look in looks.values()}) == 3
    assert looks["all_background"]["markerfacecolor"] == looks["ground_truth"]["markerfacecolor"] == "white"
    assert looks["unet"] == style.look(["a", "unet"])["unet"]
    many = style.look([*"abcdefghijklmn", "mean", "median", "random", "random.two"]).values()
    assert len({(look["color"], look["marker"]) for look in many}) == 18


def test_names_of_neighbouring_points_lie_apart_and_stay_inside():
    with style.context():
        figure, axes = style.panels(1, 1, 3.0, 2.2)
        figure.dpi = 72  # that of an SVG
        panel, y = axes[0, 0], [0.0, 0.0, 0.0, 0.01, 1.0]
        panel.plot([0.0, 0.9, 0.91, 0.9, 0.91], y, ".")
        style.named(panel, ["first", "second", "third", "fourth", "fifth"], [0.0, 0.9, 0.91, 0.9, 0.91], y)
        style.svg(figure)
    boxes = [Text.get_window_extent(text) for text in panel.texts]  # without their lines
    assert not any(one.overlaps(two) for at, one in enumerate(boxes) for two in boxes[:at])
    assert all(panel.bbox.padded(8).contains(box.x1, box.y1) for box in boxes)


def test_no_interval_lies_under_the_note_of_predictions():
    from figures import predictions

    with style.context():
        figure = predictions.draw(**predicted())
        style.svg(figure)
    panel = figure.axes[0]
    note = panel.texts[0].get_window_extent()
    tops = [path.vertices[:, 1].max() for bar in panel.containers for path in bar.lines[2][0].get_paths()]
    assert panel.transData.transform([(0, max(tops))])[0, 1] < note.y0
    assert panel.get_ylabel() == "predicted / HV" and "MAE 0.1 HV" in panel.texts[0].get_text()


def test_a_filter_of_the_name_of_a_control_is_no_control():
    from figures import residual_spectra, restoration

    made = restored()
    for part in made.values():
        part["median"] = part["tv"]
    index = pd.DataFrame({"key": [0], "item": [HOSTILE]})
    titles = {panel.get_title(): panel.title.get_color() for panel in restoration.draw(**made, index=index).axes}
    assert "median" in titles and style.CONTROL not in titles.values()
    lines = residual_spectra.draw(made["quality"]).axes[0].get_lines()
    assert len({line.get_color() for line in lines}) == 4


def test_counts_as_scores_have_an_axis_of_their_own_and_empty_classes_no_panel():
    table = pd.concat([scored([0.5, 0.7]), scored([0.6, 0.6]).assign(phase_name="mean", instances_truth=[30.0, 40.0])])
    (panel,) = scores.draw({"otsu": table}, metric="instances_truth").axes
    assert panel.get_title() == "mean" and panel.get_xlim()[1] > 40
    assert scores.draw({"otsu": table}).axes[0].get_xlim()[1] == 1.02


def test_fractions_stand_at_their_values_with_their_errors_and_the_truth():
    index = pd.DataFrame({"item": ["a", "b"], "true_area_fraction_pore": [0.3, 0.4]})
    with style.context():
        figure = fractions_figure.draw({"otsu": fractions(value=0.25, error=0.02)}, index)
    (panel,) = figure.axes
    (points, _, (bars,)) = panel.containers[0]
    assert points.get_ydata() == pytest.approx([0.25, 0.25])
    assert next(segment[:, 1] for segment in bars.get_segments()) == pytest.approx([0.23, 0.27])
    assert panel.lines[-1].get_label() == "truth"
    assert panel.lines[-1].get_ydata() == pytest.approx([0.3, 0.4])


def test_many_items_are_sorted_and_lose_their_names():
    table = pd.concat([fractions([f"i{n}"], value=((n * 37) % 60) / 100) for n in range(60)])
    with style.context():
        figure = fractions_figure.draw({"otsu": table}, pd.DataFrame({"item": []}))
    points = figure.axes[0].containers[0][0]
    placed = sorted(zip(points.get_xdata(), points.get_ydata(), strict=True))
    assert [y for _, y in placed] == sorted(y for _, y in placed)
    assert figure.axes[0].get_xlabel() == "60 items, sorted by otsu"


def test_the_bar_of_a_method_is_the_mean_of_its_scores():
    with style.context():
        figure = scores.draw({"otsu": scored([0.2, 0.4, 0.9]), "unet": scored([1.0])})
    bars = [line for line in figure.axes[0].lines if line.get_color() == style.INK]
    assert [bar.get_xdata()[0] for bar in bars] == pytest.approx([0.5, 1.0])


def test_variants_of_a_network_of_fields_have_points_of_their_own():
    """Each at its own error, beside controls that are judged by the test items alone."""
    names = ["split", "control", "field", "measure", "mean"]
    solver = pd.DataFrame([("", True, "cut", "rel_l2", 0.5)], columns=names)
    stand_in = pd.DataFrame([("test", False, "unet", "rel_l2", 0.0)], columns=names).assign(solved_by="fft")
    judged = {
        method: pd.DataFrame(
            [("test", False, "unet", "rel_l2", error), ("test", True, "cut", "rel_l2", 0.2)], columns=names
        )
        for method, error in (("unet", 0.05), ("unet.long", 0.03))
    }
    with style.context():
        panel = field_scores_figure.draw({"fft": solver, **judged, "unet": pd.concat([judged["unet"], stand_in])}).axes[
            0
        ]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["unet", "unet.long", "cut"]
    places = np.concatenate([points.get_offsets() for points in panel.collections])
    assert dict(places[:, ::-1]) == pytest.approx({0: 0.05, 1: 0.03, 2: 0.2})


def test_many_methods_leave_published_fields_their_space_and_looks_of_their_own():
    from figures import published_fields

    names = [f"published_rel_l2_fluctuation_stress_{name}" for name in ("xx", "yy", "zz", "yz", "xz", "xy")]
    table = pd.DataFrame([{"item": "fibres", "measure": name, "value": 0.1} for name in names])
    with style.context():
        figure = published_fields.draw({f"unet.{k}": table for k in range(4)})
        figure.draw_without_rendering()
    panel = figure.axes[0]
    assert panel.get_position().height * figure.get_figheight() > 0.15
    drawn = [dots for dots in panel.collections if len(dots.get_offsets())]
    looks = {(str(dots.get_facecolor()), str(dots.get_paths()[0].vertices)) for dots in drawn}
    assert len(looks) == len(drawn) == 24 and len(figure.legends[0].get_texts()) == 10


def test_items_that_were_learned_from_do_not_count():
    tables = {
        "unet": scored([0.99, 0.9, 0.5]).assign(split=["train", "val", "test"]),
        "fcn": scored([1.0]).assign(split="train"),
    }
    with style.context():
        figure = scores.draw(tables)
    panel = figure.axes[0]
    assert [bar.get_xdata()[0] for bar in panel.lines if bar.get_color() == style.INK] == [0.5]
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert [sorted(line.get_xdata()) for line in hollow] == [[0.9, 0.99], [1.0]]


def test_the_histogram_is_a_density_and_the_law_has_its_published_peak():
    diameters = np.exp(np.random.default_rng(0).normal(1.0, 0.5, 20_000))
    with style.context():
        figure = sizes.draw({"otsu": pd.DataFrame({"equivalent_diameter_um": diameters})}, bins=40)
    panel = figure.axes[0]
    heights, edges, _ = panel.patches[0].get_data()
    assert (heights * np.diff(np.log(edges))).sum() == pytest.approx(1)
    assert max(panel.lines[0].get_ydata()) == pytest.approx(1 / (0.5 * np.sqrt(2 * np.pi)), rel=0.02)
    assert panel.get_xlabel() == "equivalent diameter / µm"
    assert "n = 20000" in panel.texts[0].get_text()


def test_pixels_of_unequal_scales_are_never_put_together():
    sizes_px = {"low": (10.0, 0.2), "high": (40.0, 0.05), "lost": (40.0, np.nan)}
    rows = [{"item": i, "equivalent_diameter_px": d, "equivalent_diameter_um": d * s} for i, (d, s) in sizes_px.items()]
    figure = sizes.draw({"otsu": pd.DataFrame(rows * 4)})
    note = figure.axes[0].texts[0].get_text()
    assert "n = 8\n2 of 3 images\ngeometric mean 2 " in note and figure.axes[0].get_xlabel().endswith("µm")
    figure = sizes.draw({"otsu": pd.DataFrame([row for row in rows if row["item"] == "lost"])})
    assert figure.axes[0].get_xlabel().endswith("px")


def test_curves_of_unequal_scales_are_averaged_over_lengths():
    from figures import curves

    parts = []
    for item, scale in (("low", 0.2), ("high", 0.05), ("lost", np.nan)):
        lag = np.arange(41)
        value = np.exp(-lag * (scale if scale == scale else 7.0))
        parts.append(pd.DataFrame({"item": item, "phase": 1, "direction": "x", "lag_px": lag, "lag_um": lag * scale}))
        parts[-1]["two_point_probability"] = value
    panel = curves.two_point({"otsu": pd.concat(parts)}, None).axes[0]
    (line,) = panel.get_lines()
    assert panel.get_xlabel() == "lag / µm (2 of 3 images)"
    assert line.get_xdata() == pytest.approx(np.arange(11) * 0.2)
    assert line.get_ydata() == pytest.approx(np.exp(-line.get_xdata()), rel=1e-3)
    same = pd.concat([parts[0], parts[0].assign(item="other"), parts[2]])
    panel = curves.two_point({"otsu": same}, None).axes[0]
    assert panel.get_xlabel() == "lag / px (2 of 3 images)" and len(panel.get_lines()[0].get_xdata()) == 41


@pytest.mark.parametrize(("start", "drawn_start"), [(1.0, 1.0), (np.nan, 1.0)])
def test_coarsening_by_diffusion_is_a_straight_line_of_the_known_slope(start, drawn_start):
    growth, law = grown()
    law = law.assign(initial_radius_um=start)
    index = pd.DataFrame({"time_h": [0.0, 70.0], "true_mean_radius_um": [1.0, 2.0]})
    index = index.assign(pixel_size_um=0.1, true_section_radius_px=[5.0, 10.0])
    with style.context():
        figure = coarsening_figure.draw({"otsu": growth}, {"otsu": law}, index)
    panel = figure.axes[0]
    line = next(line for line in panel.lines if len(line.get_xdata()) == 200)
    assert np.polyfit(line.get_xdata(), line.get_ydata(), 1) == pytest.approx([0.1, drawn_start])
    truth = next(line for line in panel.lines if line.get_label() == "truth, bodies")
    assert truth.get_ydata() == pytest.approx([1.0, 8.0])
    sections = next(line for line in panel.lines if line.get_label() == "truth, sections")
    assert sections.get_ydata() == pytest.approx([0.125, 1.0])
    assert "otsu: n = 3.10 (2.70 to 3.40)" in [text.get_text() for text in panel.get_legend().get_texts()]


def test_series_have_panels_and_truths_of_their_own():
    growth, law = (pd.concat(parts) for parts in zip(grown("900"), grown("950", rate=0.3), strict=True))
    index = pd.DataFrame(
        {"time_h": [0.0, 70.0] * 2, "temperature_c": [900, 900, 950, 950], "true_mean_radius_um": [1.0, 2.0, 1.0, 3.0]}
    )
    with style.context():
        figure = coarsening_figure.draw({"otsu": growth}, {"otsu": law}, index, power=1)
    truths = [next(line for line in panel.lines if line.get_label() == "truth, bodies") for panel in figure.axes]
    assert [truth.get_ydata()[-1] for truth in truths] == [2.0, 3.0]
    assert figure.axes[0].get_ylabel() == "mean radius / µm"


def test_the_grid_of_overlays_has_a_panel_per_item_and_method():
    given = tables()
    with style.context():
        figure = overlays.draw(given["overlays"], given["index"])
    assert len(figure.axes) == 4
    assert [len(panel.images) for panel in figure.axes] == [1, 1, 1, 0]
    assert figure.axes[3].texts[0].get_text() == "not labelled"


def test_a_field_has_a_map_for_every_component_in_its_unit():
    draw = registry.load(DRAWS, "fields")
    titles = [panel.get_title() for panel in draw({"0000": strained}).axes if panel.get_title()]
    assert titles[:2] == ["labels", "strain xx"] and titles[-1] == "stress xy / GPa" and len(titles) == 7
    assert draw({"0000": strained}, item="b").axes[0].get_xlabel() == "b"
    assert draw({"0000": strained}, item="c").axes[0].texts[0].get_text() == "no field of c"
    maps = [panel.images[0] for panel in draw({"0000": strained}).axes if panel.get_title().startswith("str")]
    assert maps[0].get_cmap().name == "RdBu_r" and maps[0].get_clim()[0] == -maps[0].get_clim()[1]
    assert maps[4].get_cmap().name == "viridis"


def test_rounding_errors_of_a_component_that_is_0_are_not_drawn_as_a_field():
    """Shear strains of 1e-17 beside strains of 1 filled the whole range of colours."""
    rng = np.random.default_rng(0)

    @contextmanager
    def rounded():
        with strained() as arrays:
            noise = 1e-17 * rng.normal(size=(8, 10))
            yield Strained({0: np.stack([*arrays[0][:2], noise, *arrays[0][3:5], 1e3 * noise])})

    panels = {panel.get_title(): panel for panel in registry.load(DRAWS, "fields")({"0000": rounded}).axes}
    for name, largest in (("strain xy", 1.0), ("stress xy / GPa", 3.0)):
        (image,) = panels[name].images
        assert image.get_clim() == pytest.approx((-1e-7 * largest, 1e-7 * largest))
        assert np.ptp(np.asarray(image.norm(image.get_array()))) < 1e-5  # one colour


def test_no_bar_and_no_law_lies_under_the_note_of_a_panel():
    rng = np.random.default_rng(0)
    tables = {
        name: pd.DataFrame({"equivalent_diameter_um": np.exp(rng.normal(mean, 0.2, 300))})
        for name, mean in (("otsu", 0.0), ("unet", 2.0))
    }
    figure = sizes.draw(tables)
    figure.canvas.draw()
    for panel in figure.axes:
        note = panel.texts[0].get_window_extent()
        highest = max(line.get_ydata().max() for line in panel.lines)
        highest = max(highest, *(patch.get_data().values.max() for patch in panel.patches))
        assert panel.transData.transform((1, highest))[1] < note.y0


def test_field_scores_have_panels_of_known_measures_alone():
    shown = [panel.get_title() for panel in field_scores_figure.draw({"unet": field_scores()}).axes]
    assert shown == ["relative L2", "equilibrium"]
    one = field_scores()
    one.loc[one["measure"] == "equilibrium", "mean"] = np.inf
    assert [panel.get_title() for panel in field_scores_figure.draw({"unet": one}).axes] == ["relative L2"]


@pytest.mark.parametrize("names", [1, 4, 5, 7])
def test_no_more_than_four_pictures_lie_side_by_side(names):
    figure, blocks = style.blocks(3, names, [1.0, 0.5, 1.0], 0.2)
    assert blocks.shape == (3, names) and all(panel.get_visible() for panel in blocks.flat)
    shown = [panel for panel in figure.axes if panel.get_visible()]
    assert len(shown) == 3 * names
    columns = {panel.get_subplotspec().colspan.start for panel in shown}
    assert len(columns) == min(names, 4)
    figure.canvas.draw()
    boxes = [panel.get_tightbbox() for panel in shown]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_hull_joins_the_compounds_on_it():
    from figures import hull

    rows = [("a", "CuAu", -0.05, 0.0), ("b", "Cu3Au", -0.01, 0.015), ("c", "Cu", 0.0, 0.0), ("d", "Cu3Au", -0.03, 0.0)]
    long = pd.DataFrame(
        [(row[0], name, row[at]) for row in rows for name, at in ((hull.FORMATION, 2), (hull.ABOVE, 3))],
        columns=["item", "property", "predicted"],
    )
    index = pd.DataFrame({"item": [row[0] for row in rows], "formula": [row[1] for row in rows]})
    panel = hull.draw({"chgnet": long}, index).axes[0]
    line = panel.lines[-1]
    assert line.get_xdata().tolist() == pytest.approx([0, 0.5, 0.75, 1])
    assert line.get_ydata().tolist() == pytest.approx([0, -50, -30, 0])
    assert panel.get_xlabel() == "mole fraction of Cu in Au"


@pytest.mark.parametrize(("power", "unit"), [("", "µm"), ("2", "µm²"), ("3", "µm³")])
def test_sizes_of_lengths_areas_and_volumes_are_drawn(power, unit):
    values = np.exp(np.linspace(0, 1, 40))
    table = pd.DataFrame({"item": "a", f"size_px{power}": values, f"size_um{power}": values * 2})
    panel = sizes.draw({"otsu": table}, quantity="size").axes[0]
    assert panel.get_xlabel() == f"size / {unit}"
    assert f"geometric mean {2 * np.exp(0.5):.3g} {unit}" in panel.texts[0].get_text()


def test_sizes_over_many_decades_have_numbers_on_the_axis():
    table = pd.DataFrame({"item": "a", "size_um2": np.geomspace(1e-9, 1e4, 50)})
    figure = sizes.draw({"otsu": table.rename(columns={"size_um2": "size_px2"})}, quantity="size")
    figure.canvas.draw()
    assert len([text for text in figure.axes[0].get_xticklabels() if text.get_text()]) >= 3


def test_curves_of_very_unequal_scales_are_drawn_one_by_one():
    """The curve of a fine image ends within a pixel of the coarse one: a mean of both would have no lag to stand at."""
    from figures import curves

    lags = np.arange(20)
    parts = [
        pd.DataFrame({"item": item, "direction": "x", "lag_px": lags, "lag_um": lags * scale, "s2": 0.5})
        for item, scale in (("fine", 1e-4), ("coarse", 1.0))
    ]
    panel = curves._draw({"otsu": pd.concat(parts)}, "s2", "S2", None, None).axes[0]
    assert len(panel.lines) == 2 and panel.get_xscale() == "log" and "a curve for each" in panel.get_xlabel()
    assert [len(line.get_xdata()) for line in panel.lines] == [19, 19]
    parts[1]["lag_um"] = lags * 2e-4
    assert len(curves._draw({"otsu": pd.concat(parts)}, "s2", "S2", None, None).axes[0].lines) == 1


def test_the_hull_of_many_pairs_has_rows_and_says_how_many_are_left_out():
    from figures import hull

    metals = ["Al", "Ti", "V", "Cr", "Fe", "Co"]
    formulas = [f"{a}{b}" for at, a in enumerate(metals) for b in metals[at + 1 :]] + ["Al3Ti"]
    items = [f"i{number}" for number in range(len(formulas))]
    parts = [
        pd.DataFrame({"item": items, "property": name, "predicted": -0.1}) for name in (hull.FORMATION, hull.ABOVE)
    ]
    figure = hull.draw({"chgnet": pd.concat(parts)}, pd.DataFrame({"item": items, "formula": formulas}))
    shown = [panel for panel in figure.axes if panel.get_visible()]
    assert len(shown) == 12 and figure.get_suptitle().startswith("12 of 15 pairs")
    assert any("Ti in Al" in panel.get_xlabel() for panel in shown)
    assert figure.get_size_inches()[1] > 7


def test_items_without_a_scale_have_no_empty_row_and_no_interval_goes_below_zero():
    from figures import grain_size

    table = intercepts()
    plain = table.assign(item="without scale")
    table = table.assign(mean_lineal_intercept_um=1.0, mean_lineal_intercept_ci95_um=3.0)
    panel = grain_size.draw({"otsu": pd.concat([plain, table])}).axes[0]
    names = [label.get_text() for label in panel.get_yticklabels()]
    assert len(names) == table["item"].nunique() and not any("without" in name for name in names)
    assert panel.get_xlim()[0] == 0


def test_grain_sizes_of_many_items_keep_the_height_of_a_page():
    from figures import grain_size

    rows = pd.DataFrame({"item": [f"i{number}" for number in range(500)], "procedure": "lines"})
    rows = rows.assign(direction_deg=np.nan, mean_lineal_intercept_um=np.nan, mean_lineal_intercept_px=np.arange(500.0))
    figure = grain_size.draw({"otsu": rows})
    assert figure.get_size_inches()[1] < 4
    assert figure.axes[0].lines[0].get_ydata().tolist() == list(range(500))
    assert "500 items" in figure.axes[0].get_xlabel()


LONG = [f"unet_with_option.variant_number_{number}" for number in range(14)]


def crowded():
    """Give figures fourteen methods of long names."""
    found = detected()
    curve, pooled = (found[name]["blobs"] for name in ("precision_recall", "detection_summary"))
    hits = screened()
    growth, law = grown()
    made = generated()
    return {
        "fractions": {"fractions": dict.fromkeys(LONG, fractions()), "index": pd.DataFrame({"item": ["a", "b"]})},
        "precision_recall": {
            "precision_recall": dict.fromkeys(LONG, curve), "detection_summary": dict.fromkeys(LONG, pooled),
        },
        "hits": {"hits": pd.concat([hits[hits["model"] == "mean"].assign(model=name) for name in LONG])},
        "coarsening": {
            "growth": dict.fromkeys(LONG, growth), "coarsening": dict.fromkeys(LONG, law),
            "index": pd.DataFrame({"item": [], "time_h": []}),
        },
        "generation_quality": {"generation_quality": dict.fromkeys(LONG, made["generation_quality"]["ddpm"])},
        "conditions": {
            "generated": dict.fromkeys(LONG, made["generated"]["ddpm"]),
            "generation_quality": dict.fromkeys(LONG, made["generation_quality"]["ddpm"]),
        },
        "grain_size": {"grain_size": {name: pd.concat([intercepts().assign(item=f"i{k}") for k in range(50)])
                                      for name in LONG[:3]}},
    }  # fmt: skip


@pytest.mark.parametrize("name", crowded())
def test_legends_of_many_long_names_lie_inside_the_figure_and_over_no_data(name):
    with style.context():
        figure = registry.call(registry.load(DRAWS, name), crowded()[name], {})
        figure.draw_without_rendering()
        whole = figure.bbox
        drawn = [(legend, figure.axes) for legend in figure.legends]
        drawn += [(panel.get_legend(), [panel]) for panel in figure.axes if panel.get_legend()]
        assert drawn
        for legend, panels in drawn:
            box = legend.get_window_extent()
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
            assert not any(box.overlaps(panel.get_window_extent()) for panel in panels if panel.get_visible())
        assert all(panel.get_window_extent().height > 40 for panel in figure.axes if panel.get_visible())


def test_the_truth_of_masks_stands_beside_the_fractions():
    scored_items = pd.DataFrame(
        {"item": ["a", "b", "a", "b"], "phase": [1, 1, -1, -1], "area_fraction_truth": [0.2, 0.3, np.nan, np.nan]}
    )
    index = pd.DataFrame({"item": ["a", "b"]})
    (panel,) = fractions_figure.draw({"otsu": fractions()}, index, {"otsu": scored_items}).axes
    truth = next(line for line in panel.lines if line.get_label() == "truth")
    assert truth.get_ydata().tolist() == [0.2, 0.3]


def test_long_names_of_points_leave_the_panel_to_the_points():
    given = shortlisted()
    alloy = "Al0.12Co0.07Cr0.08Mo0.02Ni0.65Re0.01Ta0.03W0.02"
    long = {name: given["shortlist"]["weighted"].assign(formula=alloy) for name in ("weighted", "pareto", "random")}
    with style.context():
        figure = registry.call(registry.load(DRAWS, "pareto"), {**given, "shortlist": long}, {})
        figure.draw_without_rendering()
        assert all(panel.get_window_extent().width > 0.25 * figure.bbox.width for panel in figure.axes)


@pytest.mark.parametrize(("costs", "joined"), [((3.0, 2.0, 1.0), True), ((3.0, 1.0, 2.0), False)])
def test_a_front_is_a_line_only_where_it_is_one_of_the_two_properties_shown(costs, joined):
    """A front of three properties, or of cautious values, is a zigzag in the plane of two."""
    names = ["hardness", "cost"]
    wide = pd.DataFrame({"hardness": [1.0, 2.0, 3.0], "cost": costs, "item": list("abc"), "pareto_front": 1})
    wide = wide.assign(formula=["NiAl", "NiTi", "FeAl"], **{f"{name}_std": 0.1 for name in names})
    with style.context():
        figure = registry.call(registry.load(DRAWS, "pareto"), {"shortlist": {"p": wide}, "screened": {"p": wide}}, {})
        front = next(line for line in figure.axes[0].lines if line.get_label() == "front")
        assert (front.get_linewidth() > 0) is joined and len(front.get_xdata()) == 3


def test_a_single_round_has_a_whole_number():
    from figures import transfer

    with style.context():
        panel = transfer.draw({"greedy": taught().head(1)}).axes[0]
        low, high = panel.get_xlim()
        assert [tick for tick in panel.get_xticks() if low <= tick <= high] == [2.0]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("band_gap_ev", "mean absolute error / eV"),
        ("liquidus", "mean absolute error / K"),
        ("tg", "mean absolute error"),
    ],
)
def test_the_error_of_a_round_has_the_unit_of_its_quantity(name, label):
    from figures import transfer

    with style.context():
        panel = transfer.draw({"greedy": taught().assign(quantity=name)}).axes[0]
    assert panel.get_ylabel() == label


def test_two_fits_of_one_pair_are_drawn_beside_each_other():
    """A study may fit the same cells in two ways; pandas does not order a table with one transition twice."""
    from figures import transitions

    one = {name: table["fit"] for name, table in fitted().items()}
    methods = ("compound_energy.a", "compound_energy.wide")
    drawn = transitions.draw(**{name: dict.fromkeys(methods, table) for name, table in one.items()})
    titles = [axes.get_title() for axes in drawn.axes]
    assert titles[0].endswith(", a") and titles[1].endswith(", wide") and len(titles) == 3
    assert len(drawn.legends[0].get_texts()) == 4  # two kinds of cells, two fits
    alone = transitions.draw(**fitted())
    assert alone.axes[0].get_title().endswith("-b")
