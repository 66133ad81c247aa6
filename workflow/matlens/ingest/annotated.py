"""Assignment of files of objects to images, and of phases to classes of objects."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from matlens.ingest import annotations
from matlens.ingest.annotations import CLASS_LISTS, Page, markup, yolo
from matlens.ingest.companions import closest, in_doubt, together, unmarked
from matlens.ingest.file_search import composed, expanded, matching, nearest, printable, stem
from matlens.job.batch import BadItem
from matlens.registry import suggest

FORMATS = (".json", ".geojson", ".xml", ".txt", ".roi", ".zip", ".csv", ".tsv")


def files(place: str | None) -> list[Path]:
    """List the files of objects of a file, folder or glob, sorted. Raises ValueError if there are none."""
    if place is None:
        return []
    pattern = expanded(place)
    if os.path.isdir(pattern):
        met = [os.path.join(pattern, name) for name in os.listdir(pattern) if not name.startswith(".")]
        met = [p for p in met if not p.lower().endswith(".xml") or markup.holds_objects(p)]
    else:
        met = [pattern] if os.path.lexists(pattern) else matching(pattern)
    kept = [Path(p) for p in met if Path(p).suffix.lower() in FORMATS and Path(p).name not in CLASS_LISTS]
    if not kept:
        raise ValueError(f"objects '{place}' matches no file of objects ({', '.join(FORMATS)}); {nearest(pattern)}")
    return sorted(kept)


def _key(path: str | Path) -> str:
    """Return the stem of a file by which objects and images are matched."""
    return composed(stem(path))


def _parts(name: str) -> list[str]:
    """Split the name of an image into folders and stem, the stem first."""
    path = PurePosixPath(composed(name).replace("\\", "/"))
    return [_key(path.name), *reversed(path.parts[:-1])]


def _alike(one: str, other: str) -> int:
    """Count how many parts of two names agree, from the stem on."""
    count = 0
    for a, b in zip(_parts(one), _parts(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def page_of(pages: Iterable[Page], image: str, file: str) -> Page | None:
    """Return the page of an image: the only one, or the one of its name. Raises BadItem if two fit equally."""
    pages = list(pages)
    if len(pages) == 1 and not pages[0].image:
        return pages[0]
    alike = [_alike(page.image, image) for page in pages]
    best = max(alike, default=0)
    if not best:
        return None
    if alike.count(best) > 1:
        exact = [page for page in pages if PurePosixPath(page.image).name == Path(image).name]
        if len(exact) == 1:
            return exact[0]
        raise BadItem(
            f"{file} has {alike.count(best)} entries of images named '{Path(image).name}'; rename one of them"
        )
    return pages[alike.index(best)]


def matched(images: Mapping[Path, str], place: str | None) -> tuple[dict[Path, tuple], list[tuple[str, str]]]:
    """Find the file of objects of each image: (file, reason) by image, and the images that are absent: (name, reason).

    A file of one image has its name; a file of many is asked for its images. Raises ValueError if none fits.
    """
    pairs: dict[Path, tuple] = dict.fromkeys(images, (None, None))
    absent, own, many = [], {}, []
    stems, listed = {_key(path) for path in images}, files(place)
    free = stems - {_key(file) for file in listed}  # images without a file of their name
    for file in listed:
        pages = pages_of(file)
        if len(pages) == 1 and not pages[0].image:
            key = _key(file)
            key = unmarked(file) if key not in stems and unmarked(file) in free else key  # a_RoiSet.zip
            own.setdefault(key, []).append(file)
        else:
            many.append((file, pages))
    if len(own) == 1 and len(images) == 1 and not many:
        own = {_key(next(iter(images))): next(iter(own.values()))}
        serving, doubt = {next(iter(images)): next(iter(own.values()))}, {}
    else:
        named = [(file.with_name(key + file.suffix).as_posix(), file) for key, alike in own.items() for file in alike]
        named += [(page.image, file) for file, pages in many for page in pages]
        serving, doubt = _serving(named, images)
    for path in images:
        fitting = serving.get(path, [])
        fitting = closest(path, fitting) if len(fitting) > 1 else fitting
        if len(fitting) > 1:
            two = " and ".join(printable(str(file)) for file in fitting[:2])
            pairs[path] = (None, f"two files of objects have its name: {two}; keep one")
        else:
            pairs[path] = (str(fitting[0]), None) if fitting else (None, doubt.get(path))
    for file, pages in many:
        absent += _absent(file, pages, images)
    absent += _alone(own, images)
    if place and not any(file or reason for file, reason in pairs.values()):
        first = [(key, files_[0]) for key, files_ in own.items()]
        first += [(page.image, file) for file, pages in many for page in pages[:1]]
        said = "".join(f"; {file.name} is of '{printable(name)}': rename one of them" for name, file in first[:1])
        raise ValueError(
            f"objects '{place}': no file is of an image of this study, such as '{next(iter(images)).name}'{said}"
        )
    return pairs, absent


def _serving(named: list[tuple[str, Path]], images: Mapping[Path, str]) -> tuple[dict, dict]:
    """Assign files of objects to the images of their names, (name, file); returns files and reasons by image.

    Of several images of one stem, the one whose folders fit has the file, and the others have none.
    """
    by_stem: dict[str, list[Path]] = {}
    for path in images:
        by_stem.setdefault(_key(path), []).append(path)
    serving: dict[Path, list[Path]] = {}
    doubt: dict[Path, str] = {}
    for name, file in named:
        near = by_stem.get(_parts(name)[0], [])
        if len(near) > 1:
            score = {path: (_alike(name, str(path)), together(path, file)) for path in near}
            near = [path for path in near if score[path] == max(score.values())]
        items = list(dict.fromkeys(images[path] for path in near))  # one for a picture in two formats
        if len(items) > 1:
            doubt |= dict.fromkeys(near, in_doubt(file, items))
            continue
        for path in near:
            if file not in serving.setdefault(path, []):
                serving[path].append(file)
    return serving, doubt


def pages_of(file: Path) -> tuple[Page, ...]:
    """Return the pages of a file; one of a single image that cannot be read is refused with its image, later."""
    try:
        return annotations.read(str(file))
    except BadItem as error:
        if file.suffix.lower() in (".txt", ".roi", ".zip", ".geojson"):
            return (Page("", ()),)
        raise ValueError(str(error)) from error


def _absent(file: Path, pages: Iterable[Page], images: Mapping[Path, str]) -> list[tuple[str, str]]:
    """List the images that a file names and that are neither items nor beside them."""
    folders, found = {path.parent for path in images}, []
    for page in pages:
        name = PurePosixPath(page.image.replace("\\", "/")).name
        if any(_alike(page.image, str(path)) for path in images) or any((at / name).exists() for at in folders):
            continue
        found.append((_key(name), _not_there(file, len(page.shapes), name, images)))
    return found


def _alone(own: Mapping[str, list], images: Mapping[Path, str]) -> list[tuple[str, str]]:
    """List the files of one image each that fit none: neither an item nor an image beside these."""
    known = {_key(path) for path in images}
    if not any(name not in known for name in own):
        return []
    beside = {_key(name) for folder in {path.parent for path in images} for name in os.listdir(folder or ".")
              if Path(name).suffix.lower() not in FORMATS}  # fmt: skip
    found = []
    for name in sorted(set(own) - known - beside):
        for file in own[name]:
            count = sum(not shape.reason for page in pages_of(file) for shape in page.shapes)
            if count:  # else it may be a text of another kind
                found.append((name, _not_there(file, count, name, images)))
    return found


def _not_there(file: Path, count: int, name: str, images: Mapping[Path, str]) -> str:
    """Say that a file has objects of an image that is not there, and which image has that name in another case."""
    said = f"{file.name} has {count} object{'s' if count != 1 else ''} of '{name}', an image that is not there"
    near = next((path.name for path in images if _key(path).casefold() == _key(name).casefold()), None)
    return f"{said}; '{near}' is written in another case: rename one of them" if near else said


def phases_of(labels: Iterable[str], phases: list[str], classes: Mapping | None) -> dict[str, int]:
    """Return the number of the phase of each class of objects.

    `classes`: class names by phase name; classes that it does not list count as nothing. None: every class is the only
    phase beside the first, else it has the name of a phase. Raises BadItem if a class is of no phase.
    """
    labels = sorted(set(labels))
    if classes:
        found = {}
        for phase, given in classes.items():
            if phase not in phases:
                raise BadItem(f"object_classes names the phase '{phase}'; {suggest(phase, phases)}")
            for label in [given] if isinstance(given, (str, int)) else given:
                found[str(label)] = phases.index(phase)
        return found
    if len(phases) <= 2:
        return dict.fromkeys(labels, len(phases) - 1)
    if strange := [label for label in labels if label not in phases[1:]]:
        raise BadItem(
            f"the objects have the class '{strange[0]}', which is no phase of the study ({', '.join(phases[1:])}); "
            "assign classes to phases in object_classes"
        )
    return {label: phases.index(label) for label in labels}


def check_classes(place: str | None, phases: list[str], classes: Mapping | None) -> None:
    """Raise ValueError if the classes of the files do not fit the study."""
    yolo.check([file for file in files(place) if file.suffix.lower() == ".txt"])
    shapes = [shape for file in files(place) for page in pages_of(file) for shape in page.shapes]
    labels = {shape.label for shape in shapes if not shape.reason}
    try:
        known = phases_of(labels, phases, classes)
    except BadItem as error:
        raise ValueError(str(error)) from error
    if classes and labels and (lost := sorted(set(known) - labels)):
        raise ValueError(f"object_classes names the class '{lost[0]}', which no object has; {suggest(lost[0], labels)}")
