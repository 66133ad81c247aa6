"""Videos, through OpenCV, frame by frame."""

import numpy as np

from matlens.ingest import Micrograph, grey
from matlens.ingest.readers.common import check_size
from matlens.job.batch import BadItem


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read the frames of a video as (t, y, x); grey videos keep 8 bits, coloured ones become luminance."""
    import cv2

    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    try:
        stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        size = [int(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)]
        if not capture.isOpened():
            raise BadItem("the video cannot be opened: broken, or its codec is not known; export it as TIFF or AVI")
        check_size((max(stated, 1), *size), max_pixels)
        frames, colour = [], False
        while True:
            good, frame = capture.read()
            if not good:
                break
            check_size((len(frames) + 1, *frame.shape[:2]), max_pixels)
            turned = grey.one_channel(frame[..., ::-1]) if frame.ndim == 3 else frame
            colour = colour or turned.dtype != np.uint8
            frames.append(turned)
    finally:
        capture.release()
    if not frames or len(frames) < 0.99 * stated:
        raise BadItem(f"the video is cut off: {len(frames)} of {stated} frames could be read; copy it again")
    if colour:
        frames = [f / np.float32(255) if f.dtype == np.uint8 else f for f in frames]
    pixels = np.stack(frames)
    return Micrograph(pixels[0] if len(pixels) == 1 else pixels, "yx" if len(pixels) == 1 else "tyx")
