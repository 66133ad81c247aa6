"""Detect the format of a file from its first bytes."""

import os
import re
import stat
from pathlib import Path

from matlens.job.batch import BadItem

HEAD = 4096
MAGIC = (
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"II\x97\x01", "ser"),
    (b"JK\0\2", "emi"),
    (b"JL\0\2", "emi"),
    (b"Channel Text File", "ctf"),
    (b"NRRD00", "nrrd"),
)
FOREIGN = (
    (b"%PDF", "a PDF document; export the picture in it as TIFF or PNG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture; save it as TIFF or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture; save it as TIFF or PNG"),
    (b"\xff\x0a", "a JPEG XL picture; save it as TIFF or PNG"),
    (b"II\xbc\x01", "a JPEG XR picture; save it as TIFF or PNG"),
    (b"8BPS", "a Photoshop document; export it as TIFF or PNG"),
    (b"%!PS", "a PostScript document; export the picture in it as TIFF or PNG"),
    (b"ZISRAWFILE", "a Zeiss CZI file; export it as OME-TIFF (ZEN, Fiji)"),
    (b"\xda\xce\xbe\x0a", "a Nikon ND2 file; export it as OME-TIFF (NIS-Elements, Fiji)"),
    (b"\x70\0\0\0", "a Leica LIF file; export it as OME-TIFF (LAS X, Fiji)"),
    (b"\xd0\xcf\x11\xe0", "a compound document of Office or of a microscope (OIB, ZVI); export it as OME-TIFF (Fiji)"),
    (b"PK\x03\x04", "a zip archive or office document; unpack it"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"\\*File list", "a scan of a probe microscope; export its image as TIFF (Gwyddion)"),
    (b"GWYP", "a scan of a probe microscope; export its image as TIFF (Gwyddion)"),
    (b"SIMPLE  =", "a FITS image; save it as TIFF (Fiji)"),
    (b"<svg", "a drawing, not an image of pixels; export it as PNG"),
    (b"AAMVHFSS", "a Bruker BCF file; export its picture as TIFF (Esprit)"),
    (b"MATLAB ", "a MATLAB file; write the array as TIFF (imwrite)"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"\x80\x02", "a Python pickle, which is never opened; save the array with numpy.save"),
    (b"\x80\x03", "a Python pickle, which is never opened; save the array with numpy.save"),
    (b"\x80\x04", "a Python pickle, which is never opened; save the array with numpy.save"),
    (b"\x80\x05", "a Python pickle, which is never opened; save the array with numpy.save"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with git lfs pull"),
)
PHOTOGRAPHS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")  # brands of pictures, not videos
ANG_HEADER = re.compile(rb"^#\s*(HEADER|TEM_PIXperUM|x-star|GRID|MaterialName|Phase|Info|VERSION|Working)", re.M | re.I)
MATROSKA = b"\x1a\x45\xdf\xa3"  # .mkv and .webm
METAIMAGE = re.compile(rb"\s*(ObjectType\s*=\s*Image|NDims\s*=\s*\d)", re.I)
ROW_OF_NUMBERS = re.compile(rb"\s*[-+\d.eE]+(\s+[-+\d.eE]+){7,}\s*$")


def sniff(path: str) -> tuple[str, str]:
    """Return the format of a file or OME-Zarr folder, and the file to open. Raises BadItem if it is not supported."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return _folder(path), path
        if not stat.S_ISREG(status.st_mode):
            raise BadItem("it is not a plain file (a pipe, socket or device); give a file")
        with open(path, "rb") as handle:
            head = handle.read(HEAD)
    except FileNotFoundError as error:
        lost = "a link to a file that is not there" if os.path.islink(path) else "there is no such file"
        raise BadItem(f"{lost}; restore it or take it out of the study") from error
    except PermissionError as error:
        raise BadItem("no permission to read it; change its access rights (chmod u+r)") from error
    if status.st_size == 0:
        raise BadItem("the file is empty (0 bytes); copy it again from its source")
    return _by_content(head, path)


def _by_content(head: bytes, path: str) -> tuple[str, str]:
    name = next((name for magic, name in MAGIC if head.startswith(magic)), None)
    if name:
        return name, path
    if head[:3] == b"\0\0\0" and head[3] in (3, 4) and len(head) > 16:
        return "dm", path
    if head[:2] == b"BM" and head[14:18] in (b"\x28\0\0\0", b"\x0c\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0", b"\x40\0\0\0"):
        return "bmp", path
    movie = head[4:8] == b"ftyp" and head[8:12] not in PHOTOGRAPHS
    if movie or (head[:4] == b"RIFF" and head[8:12] == b"AVI ") or head.startswith(MATROSKA):
        return "video", path
    if head.startswith(b"PK\x03\x04") and b".npy" in head[:256]:
        return "npz", path
    if head[208:212] in (b"MAP ", b"MAP\0"):
        return "mrc", path
    if METAIMAGE.match(head):
        return "metaimage", path
    return _text_or_nameless(head, path)


def _text_or_nameless(head: bytes, path: str) -> tuple[str, str]:
    """Detect formats without a signature: EBSD texts, and binary formats known only by file name."""
    suffix, text = Path(path).suffix.lower(), head.lstrip(b"\xef\xbb\xbf \r\n\t")
    first = text.split(b"\n", 1)[0]
    if text.startswith(b"#") and (suffix == ".ang" or ANG_HEADER.search(text)):
        return "ang", path
    if suffix == ".ang" and ROW_OF_NUMBERS.match(first):
        return "ang", path
    if text.startswith(b"[") and re.search(rb"^\[(job|phases|fields)\]", head, re.M | re.I):
        return "cpr", path
    if suffix == ".crc" and (partner := _beside(path, ".cpr")):
        return "cpr", partner
    if suffix == ".raw" and METAIMAGE.match(head) is None:
        raise BadItem(
            "it holds pixels without a header; write one beside it (.mhd or .nhdr), or save it as TIFF in Fiji"
        )
    if suffix in (".mrc", ".mrcs", ".st", ".rec", ".ali", ".map") and len(head) >= 1024:
        return "mrc", path
    raise BadItem(
        f"{_describe(head, text)}; give a format that is read (TIFF, PNG, JPEG, DM, EMD, SER, MRC, HDF5, ...)"
    )


def _describe(head: bytes, text: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "the file is a WebP picture; save it as PNG"
    if head[4:8] == b"ftyp":
        return "the file is a HEIC or AVIF photograph; export it as TIFF or PNG"
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return "the file is a NIfTI volume; save it as NRRD or MetaImage (3D Slicer, ITK-SNAP)"
    if head[128:132] == b"DICM":
        return "the file is a DICOM image; save it as TIFF, NRRD or MetaImage (Fiji, 3D Slicer)"
    for magic, words in FOREIGN:
        if head.startswith(magic):
            return f"the file is {words}"
    if text[:200].lower().startswith((b"<!doctype html", b"<html", b"<head")):
        return "the file is a web page saved under the name of an image: the download failed, get it again"
    if not head.strip(b"\0"):
        return "the file begins with nothing but zeros: a failed copy, copy it again"
    if re.match(rb"P[1-7]\s", head):
        return "the file is a Netpbm picture (PGM, PPM); save it as PNG"
    if not re.search(rb"[\0-\x08\x0e-\x1f]", head):
        try:
            start = head[:60].decode("utf-8", "strict" if len(head) < 60 else "ignore")
            return f"the file is text, not an image (it begins {' '.join(start.split())[:40]!r})"
        except UnicodeDecodeError:
            pass
    return f"no image format is known that begins with bytes {head[:8].hex(' ')}"


def _beside(path: str, suffix: str) -> str | None:
    """Find a file of the same stem, whatever the case of its suffix."""
    found = (str(Path(path).with_suffix(s)) for s in (suffix, suffix.upper()))
    return next((name for name in found if os.path.isfile(name)), None)


def _folder(path: str) -> str:
    if any(os.path.isfile(os.path.join(path, name)) for name in (".zgroup", ".zarray", "zarr.json", ".zattrs")):
        return "omezarr"
    raise BadItem("it is a folder with the name of an image; name the files in it with a glob (folder/*)")
