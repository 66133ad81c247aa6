"""Crystal prototypes: space group, cell and occupied positions of each structure type."""

from typing import NamedTuple


class Prototype(NamedTuple):
    """A structure with letters for elements: its space group, cell (angstrom, degrees) and occupied positions.

    `sites`: letter and a representative of each orbit, in the standard setting (origin choice 1 where there are two).
    `bonding`: "ionic" (cations and anions touch) or "metallic" (close-packed spheres).
    """

    group: int
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[tuple[str, tuple[float, float, float]], ...]
    bonding: str


def _cubic(a: float) -> tuple:
    return (a, a, a, 90.0, 90.0, 90.0)


# Cells and free coordinates of the compound that gives the type its name: R. W. G. Wyckoff, Crystal Structures (1963);
# ThCr2Si2: Z. Ban, M. Sikirica, Acta Cryst. 18 (1965) 594; spinel: R. J. Hill et al., Phys. Chem. Miner. 4 (1979) 317.
PROTOTYPES = {
    "rock_salt": Prototype(225, _cubic(5.640), (("A", (0, 0, 0)), ("X", (0.5, 0.5, 0.5))), "ionic"),
    "cesium_chloride": Prototype(221, _cubic(4.123), (("A", (0, 0, 0)), ("X", (0.5, 0.5, 0.5))), "ionic"),
    "zincblende": Prototype(216, _cubic(5.409), (("A", (0, 0, 0)), ("X", (0.25, 0.25, 0.25))), "ionic"),
    "wurtzite": Prototype(
        186, (3.811, 3.811, 6.234, 90, 90, 120), (("A", (1 / 3, 2 / 3, 0)), ("X", (1 / 3, 2 / 3, 0.375))), "ionic"
    ),
    "fluorite": Prototype(225, _cubic(5.463), (("A", (0, 0, 0)), ("X", (0.25, 0.25, 0.25))), "ionic"),
    "rutile": Prototype(
        136, (4.594, 4.594, 2.958, 90, 90, 90), (("A", (0, 0, 0)), ("X", (0.3053, 0.3053, 0))), "ionic"
    ),
    "perovskite": Prototype(
        221, _cubic(3.905), (("A", (0, 0, 0)), ("B", (0.5, 0.5, 0.5)), ("X", (0, 0.5, 0.5))), "ionic"
    ),
    "spinel": Prototype(
        227,
        _cubic(8.083),
        (("A", (0, 0, 0)), ("B", (0.625, 0.625, 0.625)), ("X", (0.3874, 0.3874, 0.3874))),
        "ionic",
    ),
    "b2": Prototype(221, _cubic(2.887), (("A", (0, 0, 0)), ("B", (0.5, 0.5, 0.5))), "metallic"),
    "l1_0": Prototype(123, (2.80, 2.80, 3.67, 90, 90, 90), (("A", (0, 0, 0)), ("B", (0.5, 0.5, 0.5))), "metallic"),
    "l1_2": Prototype(221, _cubic(3.572), (("B", (0, 0, 0)), ("A", (0, 0.5, 0.5))), "metallic"),
    "d0_3": Prototype(
        225, _cubic(5.793), (("A", (0.25, 0.25, 0.25)), ("A", (0.5, 0.5, 0.5)), ("B", (0, 0, 0))), "metallic"
    ),
    "heusler": Prototype(
        225, _cubic(5.949), (("A", (0.25, 0.25, 0.25)), ("B", (0.5, 0.5, 0.5)), ("C", (0, 0, 0))), "metallic"
    ),
    "half_heusler": Prototype(
        216, _cubic(5.90), (("A", (0.25, 0.25, 0.25)), ("B", (0.5, 0.5, 0.5)), ("C", (0, 0, 0))), "metallic"
    ),
    "laves_c15": Prototype(227, _cubic(7.034), (("A", (0, 0, 0)), ("B", (0.625, 0.625, 0.625))), "metallic"),
    "thcr2si2": Prototype(
        139,
        (4.043, 4.043, 10.577, 90, 90, 90),
        (("A", (0, 0, 0)), ("B", (0, 0.5, 0.25)), ("X", (0, 0, 0.374))),
        "metallic",
    ),
}
