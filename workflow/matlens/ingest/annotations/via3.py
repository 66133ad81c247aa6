"""VIA 3: files, views of files, and metadata, each of which is a region in space, of images.

Source: the format of A. Dutta, A. Zisserman, ACM Multimedia 2019, in its third version: the first number of `xy` is the
form, the others are its coordinates; `z` are times in a video.
"""

from matlens.ingest.annotations import Page, Shape, document, via

# Form by its number: name, and names of its coordinates in the older versions; polylines and polygons have any number.
FORMS = {
    1: ("point", ("cx", "cy")),
    2: ("rect", ("x", "y", "width", "height")),
    3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry")),
    5: ("line", ()),
    6: ("polyline", ()),
    7: ("polygon", ()),
}


def _label(values: dict, attributes: dict) -> str:
    """Return the class of a region: attributes and their options are numbered, and named in a list of their own."""
    named = {}
    for number, value in values.items():
        about = attributes.get(number) or {}
        named[about.get("aname", number)] = (about.get("options") or {}).get(value, value)
    return via.label_of(named)


def _shape(entry: dict, attributes: dict) -> Shape:
    """Read one region."""
    label, (form, *numbers) = _label(entry.get("av") or {}, attributes), entry["xy"]
    if entry.get("z"):
        return Shape(label=label, reason="it belongs to times of a video; draw it on images")
    name, given = FORMS.get(int(form), (f"of number {form}", ()))
    about = dict(zip(given, numbers, strict=False)) | {"name": name}
    if name in ("polyline", "polygon"):
        about |= {"all_points_x": numbers[0::2], "all_points_y": numbers[1::2]}
    return via.shape_of({"shape_attributes": about, "region_attributes": {"class": label}})


def read(file: str) -> list[Page]:
    """Return a page per file of the project."""
    content = document(file)
    names = {str(key): str(about["fname"]) for key, about in content["file"].items()}
    own: dict[str, list] = {key: [] for key in names}
    for entry in content["metadata"].values():
        if entry.get("xy"):
            shape = _shape(entry, content.get("attribute") or {})
            for key in content["view"][str(entry["vid"])]["fid_list"]:
                own[str(key)].append(shape)
    return [Page(names[key], tuple(shapes)) for key, shapes in own.items()]
