"""Detections over time in, tracks out.

A method is `track(frames, *, options)`: `frames` is a list with one array (n, 3) of detections per frame, y and x in
pixels and the equivalent diameter. One that asks for `outlines`, too, gets the pixels of each, (y0, x0, mask), and for
`truth` the places and numbers of the true objects of every frame. It returns one int array per frame: the number of the
track of each detection, from 0, or -1 for a detection that is in none. All methods share the options of
`series.Series`, which says what the frames are.
"""

METHODS = {
    "nearest": "matlens.track.link:nearest",
    "hungarian": "matlens.track.link:hungarian",
    "kalman": "matlens.track.predict:kalman",
    "overlap": "matlens.track.outlines:overlap",
    "ground_truth": "matlens.track.link:ground_truth",
    "each_its_own": "matlens.track.link:each_its_own",
}
CONTROLS = ("ground_truth", "each_its_own")
