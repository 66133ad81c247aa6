"""Figure `field_errors`: which field is drawn, and by whom."""

import contextlib

import numpy as np
from figures import field_errors, style


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


def drawn(networks: dict, item: str = "", **solvers):
    with style.context():
        figure = field_errors.draw({**networks, **solvers}, networks, item=item)
        figure.draw_without_rendering()
    return [panel for panel in figure.axes if panel.images and panel.get_title()]


def test_every_network_is_drawn_under_the_name_of_its_variant():
    networks = {f"unet.{name}": stored(level, solved_by="unet") for name, level in (("x", 0.9), ("y", 0.5))}
    panels = drawn(networks, fft=stored(1.0))
    titles = [panel.get_title() for panel in panels]
    assert titles[1::3] == ["predicted by unet.x"] * 2 + ["predicted by unet.y"] * 2
    worst = [float(np.abs(panel.images[0].get_array()).max()) for panel in panels[2::3]]
    np.testing.assert_allclose(worst, [0.1, 0.1, 0.5, 0.5], atol=1e-9)


def test_the_solver_is_drawn_as_solved_where_the_study_names_the_network_first():
    panels = drawn({"unet": stored(0.5, solved_by="unet")}, fft=stored(1.0))
    assert panels[0].images[0].get_array().max() == 2.0 and panels[1].images[0].get_array().max() == 1.5


def test_a_solver_that_stands_in_for_a_network_is_named_and_networks_beyond_three_are_listed():
    panels = drawn({"unet.x": stored(1.0, solved_by="fft")}, "i", fft=stored(1.0))
    assert panels[1].get_title() == "unet.x: solved by fft"
    networks = {f"unet.{letter}": stored(0.5, solved_by="unet") for letter in "abcd"}
    panels = drawn(networks, fft=stored(1.0))
    assert len(panels) == 18 and panels[-3].get_xlabel() == "i; not drawn: unet.d"
