"""Detections over time in, tracks out.

A method is `track(frames, *, options)`: `frames` is a list with one array (n, 3) of detections per frame, y and x in
pixels and the equivalent diameter. It returns one int array per frame: the number of the track of each detection, from
0, or -1 for a detection that is in none. All methods share the options of `series.Series`, which says what the frames
are.
"""

METHODS = {
    "nearest": "matlens.track.link:nearest",
    "hungarian": "matlens.track.link:hungarian",
    "each_its_own": "matlens.track.link:each_its_own",
}
CONTROLS = ("each_its_own",)
