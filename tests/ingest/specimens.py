"""Small files of every format, written with the true layout of their makers; tests read and break them."""

import io
import json
import struct

import numpy as np
import tifffile
from PIL import Image


def items(tmp_path, name: str, content: str) -> tuple[dict, dict]:
    """Read all structures of a file: crystals and notes by item, reasons by item."""
    from matlens import columns
    from matlens.ingest.crystals import structures
    from matlens.job.batch import BadItem

    (tmp_path / name).write_text(content)
    found, lost = {}, {}
    for row in structures.plan(path=str(tmp_path / name)).to_dict("records"):
        try:
            if row[columns.REASON]:
                raise BadItem(row[columns.REASON])
            crystal, meta = structures.read(row)
            found[row[columns.ITEM]] = (crystal, meta["remark"])
        except BadItem as error:
            lost[row[columns.ITEM]] = str(error)
    return found, lost


def ramp(shape=(40, 50), kind=np.uint16) -> np.ndarray:
    """Make an image in which every pixel differs from its neighbours: turned or shifted pixels are seen."""
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(kind)


def _tag(name: str, body: bytes, kind: int = 21) -> bytes:
    return struct.pack(">BH", kind, len(name)) + name.encode() + body


def _group(*tags: bytes) -> bytes:
    return struct.pack(">BBi", 1, 0, len(tags)) + b"".join(tags)


def _data(info: list[int], body: bytes) -> bytes:
    return b"%%%%" + struct.pack(f">{len(info) + 1}i", len(info), *info) + body


def _text(name: str, text: str) -> bytes:
    return _tag(name, _data([20, 4, len(text)], text.encode("utf-16-le")))


def _number(name: str, kind: int, value) -> bytes:
    return _tag(name, _data([kind], struct.pack({5: "<I", 6: "<f", 7: "<d"}[kind], value)))


def dm3(path, image: np.ndarray, scale=0.25, unit="nm"):
    """Write a DM3 file with one image of uint16."""
    sizes = _group(*(_number("", 5, n) for n in image.shape[::-1]))
    steps = _group(*(_tag("", _group(_number("Scale", 6, scale), _text("Units", unit)), 20) for _ in image.shape))
    data = _tag("Data", _data([20, 4, image.size], image.astype("<u2").tobytes()))
    parts = [
        _tag("Calibrations", _group(_tag("Dimension", steps, 20)), 20),
        data,
        _number("DataType", 5, 10),
        _tag("Dimensions", sizes, 20),
    ]
    scope = _group(_number("Voltage", 7, 200e3), _text("Microscope", "Titan"))
    tags = _tag("ImageTags", _group(_tag("Microscope Info", scope, 20)), 20)
    entry = _tag("", _group(_tag("ImageData", _group(*parts), 20), tags), 20)
    root = _group(_tag("ImageList", _group(entry), 20))
    path.write_bytes(struct.pack(">iii", 3, len(root), 1) + root + b"\0" * 8)


def ser(path, frames: list[np.ndarray], step=2e-9):
    """Write a TIA series of uint16; rows are stored from the bottom up."""
    head = struct.pack("<hhhiiiiii", 0x4949, 0x197, 0x210, 0x4122, 0x4152, len(frames), len(frames), 30, 0)
    size = 50 + frames[0].size * 2
    starts = [30 + 4 * len(frames) + k * size for k in range(len(frames))]
    blocks = [
        struct.pack("<ddiddihii", 0, step, 0, 0, step, 0, 2, f.shape[1], f.shape[0]) + f[::-1].astype("<u2").tobytes()
        for f in frames
    ]
    path.write_bytes(head + struct.pack(f"<{len(frames)}i", *starts) + b"".join(blocks))


def velox(path, frames: np.ndarray, pixel_m="1.5e-10", spare=(), detectors=(), first="aa"):
    """Write a Velox EMD file: frames (t, y, x) stored as (y, x, t), JSON in a column of bytes.

    `spare`: further images, (name, frames); `detectors`: of the image `first` and of these.
    """
    import h5py

    about = {
        "Instrument": {"InstrumentModel": "Spectra"},
        "Optics": {"AccelerationVoltage": "300000"},
        "BinaryResult": {"PixelSize": {"width": pixel_m, "height": pixel_m}, "PixelUnitX": "m", "PixelUnitY": "m"},
    }
    with h5py.File(path, "w") as root:
        root["Version"] = "1.0"
        for number, (name, block) in enumerate([(first, frames), *spare]):
            about["BinaryResult"]["Detector"] = detectors[number] if detectors else ""
            group = root.create_group(f"Data/Image/{name}")
            group["Data"] = np.moveaxis(block, 0, -1)
            text = np.zeros((4000, len(block)), np.uint8)
            raw = np.frombuffer(json.dumps(about).encode(), np.uint8)
            text[: len(raw)] = raw[:, None]
            group["Metadata"] = text


def berkeley(path, image: np.ndarray, step=0.5, unit="[n_m]", names="zyx"):
    """Write an EMD file of the Berkeley standard. `step`: of all axes, or of each."""
    import h5py

    with h5py.File(path, "w") as root:
        root.attrs["version_major"] = 0
        group = root.create_group("data/one")
        group.attrs["emd_group_type"] = 1
        group["data"] = image
        for axis, length in enumerate(image.shape):
            own = step if np.isscalar(step) else step[axis]
            dim = group.create_dataset(f"dim{axis + 1}", data=np.arange(length) * own)
            dim.attrs["units"] = unit
            dim.attrs["name"] = names[axis - image.ndim]
        root.create_group("microscope").attrs["voltage"] = 300.0


def hyperspy(path, image: np.ndarray, scale=0.2, unit="nm"):
    """Write a HyperSpy file."""
    import h5py

    with h5py.File(path, "w") as root:
        root.attrs["file_format"] = "HyperSpy"
        group = root.create_group("Experiments/one")
        group["data"] = image
        for axis in range(image.ndim):
            group.create_group(f"axis-{axis}").attrs.update({"scale": scale, "units": unit, "size": image.shape[axis]})
        group.create_group("metadata/Acquisition_instrument/TEM").attrs["beam_energy"] = 200.0


def mrc(path, volume: np.ndarray, angstrom=2.5, stack=False):
    """Write an MRC file."""
    import mrcfile

    with mrcfile.new(path, overwrite=True) as handle:
        handle.set_data(volume)
        handle.voxel_size = angstrom
        if stack:
            handle.set_image_stack()


def omezarr(path, image: np.ndarray, axes: str, step=2.0, version="0.5"):
    """Write an OME-Zarr folder; 0.5 is zarr 3, 0.4 is zarr 2."""
    import zarr

    group = zarr.create_group(str(path), zarr_format=3 if version == "0.5" else 2)
    array = group.create_array("0", shape=image.shape, dtype=image.dtype)
    array[...] = image
    kinds = [{"name": a, "type": "space", "unit": "nanometer"} if a in "zyx" else {"name": a} for a in axes]
    scale = {"type": "scale", "scale": [step if a in "zyx" else 1.0 for a in axes]}
    scales = [{"axes": kinds, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}]
    group.attrs.update(
        {"ome": {"version": "0.5", "multiscales": scales}} if version == "0.5" else {"multiscales": scales}
    )


def avi(path, frames: list[np.ndarray]):
    """Write a Motion-JPEG video of grey frames."""
    import cv2

    height, width = frames[0].shape
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (width, height))
    for frame in frames:
        out.write(np.repeat(frame[..., None], 3, axis=2))
    out.release()


def fei_tiff(path, image: np.ndarray, text: str):
    """Write a TIFF file with the text of FEI and Thermo Fisher in tag 34682."""
    tifffile.imwrite(path, image, extratags=[(34682, "s", 0, text, True)], metadata=None)


def zeiss_tiff(path, image: np.ndarray, table: list[str], entries: list[str]):
    """Write a TIFF file with a Zeiss CZ_SEM tag: numbers first, then pairs of lines, name and value."""
    text = "\r\n".join([*table, *entries]) + "\r\n"
    tifffile.imwrite(path, image, extratags=[(34118, "s", 0, text, True)], metadata=None)


def tvips_tiff(path, image: np.ndarray, nm: float, volt: float):
    """Write a TIFF file with a TVIPS header (tag 37706) of version 2."""
    head = np.zeros((), np.dtype(tifffile.TIFF.TVIPS_HEADER_V1).newbyteorder("<"))
    head["Version"] = 2
    body = np.zeros((), np.dtype(tifffile.TIFF.TVIPS_HEADER_V2).newbyteorder("<"))
    body["PixelSizeX"] = body["PixelSizeY"] = nm
    body["TemHighTension"], body["TemMagnification"], body["Magic"] = volt, 50000, 0xAAAAAAAA
    body["TemType"] = np.void("Tecnai".encode("utf-16-le").ljust(160, b"\0"))
    raw = head.tobytes() + body.tobytes()
    tifffile.imwrite(path, image, extratags=[(37706, "B", len(raw), raw, True)], metadata=None, byteorder="<")


def one_of_each(folder):
    """Write a file of every format into a folder; returns their paths."""
    image, eight = ramp(), ramp(kind=np.uint8)
    colour = np.stack([eight, eight[::-1], eight], axis=-1)
    for name in ("a.png", "a.bmp", "a.gif", "a.jpg"):
        Image.fromarray(eight).save(folder / name)
    Image.fromarray(colour).save(folder / "rgb.png")
    Image.fromarray(image).save(folder / "wide.png")
    tifffile.imwrite(folder / "plain.tif", image)
    tifffile.imwrite(folder / "zlib.tif", image, compression="zlib", tile=(16, 16))
    tifffile.imwrite(folder / "lzw.tif", eight, compression="lzw", predictor=True)
    tifffile.imwrite(folder / "jpeg.tif", colour, photometric="rgb", compression="jpeg")
    tifffile.imwrite(folder / "big.tif", image, bigtiff=True)
    tifffile.imwrite(folder / "stack.tif", np.stack([image] * 5), imagej=True, metadata={"axes": "ZYX", "unit": "um"})
    tifffile.imwrite(folder / "ome.tif", np.stack([image] * 5), ome=True, metadata={"axes": "TYX"})
    dm3(folder / "a.dm3", image)
    ser(folder / "s_1.ser", [image] * 3)
    velox(folder / "velox.emd", np.stack([image] * 2))
    berkeley(folder / "berkeley.emd", image)
    hyperspy(folder / "a.hspy", image)
    mrc(folder / "a.mrc", np.stack([image] * 2))
    avi(folder / "a.avi", [np.full((48, 64), 40 * k, np.uint8) for k in range(5)])
    np.save(folder / "a.npy", image)
    tvips_tiff(folder / "tvips.tif", image, 0.5, 2e5)
    fei_tiff(folder / "fei.tif", eight, "[Beam]\r\nHV=5000\r\n[Scan]\r\nPixelWidth=1e-9\r\nPixelHeight=1e-9\r\n")
    zeiss_tiff(folder / "zeiss.tif", eight, ["0", "0", "0", "1e-9"], ["AP_MAG", "Mag = 1.00 K X"])
    return sorted(folder.iterdir())


def png_header(width: int, height: int) -> bytes:
    """Make a PNG whose header announces any size, with a few bytes of data: a decompression bomb."""
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def as_bytes(image: np.ndarray, kind="PNG") -> bytes:
    """Encode an image in memory."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, kind)
    return out.getvalue()
