"""Figure `field_errors`: which field is drawn, and by whom."""

import contextlib
from pathlib import Path

import numpy as np
from figures import field_errors, style
from matlens.plan import paths, study


class Opened(dict):
    """Fields of items by key, as a stored file shows them."""

    def attrs(self, key):
        return self[key].about

    def layer(self, key, name):
        return self[key].labels


class Values(np.ndarray):
    """A field with its attributes and labels."""


def stored(level: float, **about):
    """Return what opens a file with one field, whose fluctuation is `level` times that of the solver."""
    ramp = np.linspace(0, 1, 64).reshape(8, 8)
    values = (1.0 + level * np.stack([ramp, ramp])).view(Values)
    values.about = {"item": "i", "components": ["strain_xx", "stress_xx"], "unit": ["1", "GPa"], **about}
    values.labels = np.zeros((8, 8), np.uint8)

    @contextlib.contextmanager
    def opened():
        yield Opened(i=values)

    return opened


def drawn(networks: dict, solver, item: str = ""):
    with style.context():
        predicted = {
            f"{name}/{shard}": opened for name, parts in networks.items() for shard, opened in enumerate(parts)
        }
        figure = field_errors.draw({"0": solver}, predicted, item=item)
        figure.draw_without_rendering()
    return [panel for panel in figure.axes if panel.images and panel.get_title()]


def test_every_network_is_drawn_under_the_name_of_its_variant():
    """Whatever the shard that holds the item."""
    networks = {
        "unet.x": [stored(0.9, solved_by="unet"), stored(0.0, item="other", solved_by="unet", split="train")],
        "unet.y": [stored(0.0, item="other", solved_by="unet", split="train"), stored(0.5, solved_by="unet")],
    }
    panels = drawn(networks, stored(1.0))
    titles = [panel.get_title() for panel in panels]
    assert titles[1::3] == ["predicted by unet.x"] * 2 + ["predicted by unet.y"] * 2
    worst = [float(np.abs(panel.images[0].get_array()).max()) for panel in panels[2::3]]
    np.testing.assert_allclose(worst, [0.1, 0.1, 0.5, 0.5], atol=1e-9)


def test_a_solver_that_stands_in_for_a_network_is_named_and_networks_beyond_three_are_listed():
    panels = drawn({"unet.x": [stored(1.0, solved_by="fft")]}, stored(1.0), "i")
    assert panels[1].get_title() == "unet.x: solved by fft"
    names = ("unet.a", "unet.b", "unet.c", "fno.a")
    panels = drawn({name: [stored(0.5, solved_by=name[:-2])] for name in names}, stored(1.0))
    assert [panel.get_title() for panel in panels[1::6]] == [
        f"predicted by {name}" for name in ("unet.a", "fno.a", "unet.b")
    ]
    assert len(panels) == 18 and panels[-3].get_xlabel() == "i; not drawn: unet.c"


def test_the_first_solver_is_drawn_beside_every_network_wherever_the_study_lists_it():
    properties = {name: {"youngs_gpa": 1.0, "poisson": 0.3} for name in ("background", "phase")}
    fields = {"properties": properties, "loading": {"xx": 0.01}, "unet.x": {}, "fft": {}, "unet.y": {}}
    images = {"gamma_prime": {"ages_h": [1, 2], "images": 1, "size_px": [64, 64]}, "shards": 2}
    given = {"title": "t", "ingest": images, "segment": {"otsu": {}}, "fields": fields}
    found = paths.drawable("s", study.validate(given, Path("config/studies/s.yaml")))
    assert list(found["fields"].values()) == [f"results/s/fields/fft/fields/000{k}.zarr.zip" for k in (0, 1)]
    assert list(found["predicted_fields"]) == [f"unet.{name}/000{k}" for name in "xy" for k in (0, 1)]
