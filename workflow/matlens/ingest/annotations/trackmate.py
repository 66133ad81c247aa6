"""TrackMate: spots and their tracks in one XML, or its shorter export of tracks alone.

Sources: J.-Y. Tinevez et al., Methods 115 (2017) 80; D. Ershov et al., Nat. Methods 19 (2022) 829. Places are lengths,
in which pixel i lies at i; the file says the size of a pixel. An outline is stated around its spot.
"""

from collections import defaultdict

import numpy as np

from matlens.ingest.annotations import Page, Shape, csv_places, markup, ring
from matlens.job.batch import BadItem

SQUARE = 0.01  # part by which the sides of a pixel may differ
PLACE = ("POSITION_Y", "POSITION_X")


def _unit(name: str, file: str) -> float | None:
    """Return a unit of length in micrometres, None for pixels."""
    if name.strip().lower() not in csv_places.UNITS:
        raise BadItem(f"{file}: places are in '{name}'; known are {', '.join(csv_places.UNITS)}")
    return csv_places.UNITS[name.strip().lower()]


def _pixel(image, file: str) -> float | None:
    """Return the size of a pixel in the unit of the places, None if the file does not say it."""
    try:
        high, wide = markup.numbers(image.attrib if image is not None else {}, ("pixelheight", "pixelwidth"))
    except BadItem:
        return None
    if not (np.isfinite([high, wide]).all() and min(high, wide) > 0):
        return None
    if abs(high - wide) > SQUARE * max(high, wide):
        raise BadItem(f"{file}: its pixels are {wide:g} wide and {high:g} high; make them square, and track again")
    return wide


def branches(links: list[tuple[str, str]], frames: dict[str, int]) -> list[list[str]]:
    """Divide the spots of a track where it splits or merges, so that none has two spots in a frame."""
    after, before = defaultdict(list), defaultdict(list)
    for one, other in links:
        if one in frames and other in frames and frames[one] != frames[other]:
            early, late = sorted((one, other), key=lambda spot: frames[spot])
            after[early].append(late)
            before[late].append(early)
    found: dict[str, list[str]] = {}
    for spot in sorted({*after, *before}, key=lambda spot: (frames[spot], spot)):
        single = len(before[spot]) == 1 and len(after[before[spot][0]]) == 1
        found[spot] = found[before[spot][0]] if single else []
        found[spot].append(spot)
    return list({id(own): own for own in found.values()}.values())


def _numbers(model, frames: dict[str, int]) -> tuple[dict[str, int], set[str]]:
    """Return the number of the track of each spot, and the spots of tracks that were filtered out.

    The first branch of a track has its number; the others have numbers of their own after the last.
    """
    kept = model.find("FilteredTracks")
    chosen = None if kept is None else {entry.get("TRACK_ID") for entry in kept}
    tracks = model.findall("AllTracks/Track")
    last, own, left = max((int(track.get("TRACK_ID", 0)) for track in tracks), default=0), {}, set()
    for track in tracks:
        links = [(edge.get("SPOT_SOURCE_ID"), edge.get("SPOT_TARGET_ID")) for edge in track.findall("Edge")]
        if chosen is not None and track.get("TRACK_ID") not in chosen:
            left.update(spot for pair in links for spot in pair)
            continue
        for place, spots in enumerate(branches(links, frames)):
            last += place > 0
            own.update(dict.fromkeys(spots, last if place else int(track.get("TRACK_ID", 0))))
    return own, left


def _shape(spot, frame: int, number: int | None, pixel: float, hidden: bool) -> Shape:
    """Read one spot; `pixel`: size of a pixel in the unit of its places."""
    same = {"frame": frame, "number": number}
    try:
        if hidden or float(spot.get("VISIBILITY") or 1) == 0:
            return Shape(frame=frame, reason="it was filtered out in TrackMate")
        y, x = (one / pixel + 0.5 for one in markup.numbers(spot.attrib, PLACE))
        radius = markup.numbers(spot.attrib, ("RADIUS",))[0] / pixel if spot.get("RADIUS") else 0.0
        outline = np.array((spot.text or "").split(), float) / pixel
    except (BadItem, ValueError) as error:
        return Shape(**same, reason=f"its spot cannot be read: {error}")
    if not (np.isfinite([y, x, radius]).all() and radius >= 0):
        return Shape(**same, reason="its place or radius is no length")
    if len(outline) and len(outline) == 2 * int(spot.get("ROI_N_POINTS") or 0):
        return Shape(**same, parts=((ring(y + outline[1::2], x + outline[0::2]),),))
    return Shape(**same, centre=(y, x), radius=radius)


def _exported(root, file: str) -> Page:
    """Read the export of tracks alone: places without a radius."""
    shapes = []
    for number, track in enumerate(root.findall("particle"), start=1):
        for spot in track.findall("detection"):
            place = (float(spot.get("y")) + 0.5, float(spot.get("x")) + 0.5)
            shapes.append(Shape(frame=int(spot.get("t")), number=number, centre=place))
    return Page("", tuple(shapes), unit_um=_unit(root.get("spaceUnits", ""), file))


def read(file: str) -> list[Page]:
    """Return the page of the one video. Raises BadItem if it has no spots."""
    root = markup.root_of(file)
    if root.tag == "Tracks":
        return [_exported(root, file)]
    model, image = root.find("Model"), root.find("Settings/ImageData")
    if model is None or model.find("AllSpots") is None:
        raise BadItem(f"{file}: it has no spots; save it from TrackMate after the detection")
    spots = [
        (spot, int(float(frame.get("frame", 0))))
        for frame in model.findall("AllSpots/SpotsInFrame")
        for spot in frame.findall("Spot")
    ]
    own, left = _numbers(model, {spot.get("ID"): frame for spot, frame in spots})
    pixel = _pixel(image, file)
    unit = None if pixel else _unit(model.get("spatialunits", ""), file)
    shapes = tuple(
        _shape(spot, frame, own.get(spot.get("ID")), pixel or 1.0, spot.get("ID") in left) for spot, frame in spots
    )
    about = {} if image is None else image.attrib
    return [Page(about.get("filename", ""), shapes, markup.size_of(about), unit_um=unit)]
