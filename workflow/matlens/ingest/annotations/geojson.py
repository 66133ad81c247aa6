"""GeoJSON of QuPath and of programs that write alike: polygons with holes, and points, of one image, in its pixels.

Source: RFC 7946, whose coordinates are here x and y. The name of the file is that of the image.
"""

from matlens.ingest.annotations import Page, Shape, document, ring, via
from matlens.job.batch import BadItem

REGION = "an annotation beside detections: a region that they lie in; export either alone"


def _label(about: dict) -> str:
    """Return the class of an object."""
    given = about.get("classification")
    if isinstance(given, dict):
        return str(given.get("name") or ": ".join(map(str, given.get("names") or []))).strip()
    if isinstance(given, str) or "objectType" in about:
        return (given or "").strip()
    return via.label_of({key: value for key, value in about.items() if isinstance(value, (str, int))})


def _part(rings: list) -> tuple:
    """Return the rings of a polygon: its outline, and those of its holes."""
    return tuple(ring([point[1] for point in one], [point[0] for point in one]) for one in rings)


def _outlined(place: dict, same: dict) -> list[Shape]:
    """Read one geometry; one of points is an object per point."""
    kind, given = place.get("type"), place.get("coordinates")
    if not given:
        return [Shape(**same, reason="its geometry is empty; draw a polygon or points")]
    if kind == "Polygon":
        return [Shape(parts=(_part(given),), **same)]
    if kind == "MultiPolygon":
        return [Shape(parts=tuple(_part(one) for one in given), **same)]
    if kind in ("Point", "MultiPoint"):
        points = [given] if kind == "Point" else given
        return [Shape(centre=(float(y), float(x)), **same) for x, y, *_ in points]
    return [Shape(**same, reason=f"its geometry is '{kind}'; draw a polygon or points")]


def _kind(feature: dict) -> str:
    """Return which sort of object QuPath calls it, in small letters; "" for other programs."""
    return str((feature.get("properties") or {}).get("objectType") or feature.get("id") or "").lower()


def _frame(feature: dict, axis: str) -> int | None:
    """Return the frame of an object, which QuPath leaves out if it is 0; None where other programs leave it out."""
    place, about = feature.get("geometry") or {}, feature.get("properties") or {}
    plane = place.get("plane")
    return int(plane.get(axis) or 0) if isinstance(plane, dict) else (0 if "objectType" in about else None)


def _shapes(feature: dict, axis: str, found: bool) -> list[Shape]:
    """Read one object; `found`: the file has detections, too."""
    same = {"label": _label(feature.get("properties") or {})}
    try:
        same["frame"] = _frame(feature, axis)
        if found and "annotation" in _kind(feature):
            return [Shape(**same, reason=REGION)]
        return _outlined(feature.get("geometry") or {}, same)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        return [Shape(**same, reason=f"its geometry cannot be read: {error}")]


def read(file: str) -> list[Page]:
    """Return the page of the one image. Raises BadItem if the coordinates are those of a map."""
    content = document(file)
    if isinstance(content, dict) and content.get("crs"):
        raise BadItem(f"{file}: its coordinates are those of a map (crs), not pixels; export them in pixels")
    features = content.get("features", [content]) if isinstance(content, dict) else content
    planes = [(one.get("geometry") or {}).get("plane") or {} for one in features]
    axis = next((name for name in ("t", "z") if any(plane.get(name) for plane in planes)), "t")
    found = any(kind in _kind(one) for one in features for kind in ("detection", "cell"))
    return [Page("", tuple(shape for one in features for shape in _shapes(one, axis, found)))]
