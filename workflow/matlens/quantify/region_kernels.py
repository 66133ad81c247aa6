"""Compiled loops over label images. Imported only where they are called; the machine code is cached beside the file,
or in the user's cache folder where that cannot be written (NUMBA_CACHE_DIR names another).

Every kernel takes int32 labels in C order with the regions 1 to `count`. A 2-D image is a volume of depth 1.
"""

import numpy as np
from numba import njit

FAR = 1 << 30  # beyond every column


@njit(cache=True, nogil=True)
def _cubes(k):
    """Sum the squares of the integers below k."""
    return (k - 1) * k * (2 * k - 1) // 6


@njit(cache=True, nogil=True)
def moments(volume, count):
    """Sum over every region, run by run, with exact integers.

    Returns `first` (count + 1, 3), the first pixel z, y, x of each region; `sums` (count + 1, 7), the number of pixels
    and the sums of z, y, x, yy, xx, yx relative to that first pixel; `box` (count + 1, 6), z, y, x from and to (half
    open).
    """
    depth, height, width = volume.shape
    first = np.zeros((count + 1, 3), np.int64)
    sums = np.zeros((count + 1, 7), np.int64)
    box = np.zeros((count + 1, 6), np.int64)
    for z in range(depth):
        for y in range(height):
            row = volume[z, y]
            x = 0
            while x < width:
                start = x
                label = row[x]
                while x < width and row[x] == label:
                    x += 1
                if label == 0:
                    continue
                total = sums[label]
                edge = box[label]
                if total[0] == 0:
                    first[label, 0], first[label, 1], first[label, 2] = z, y, start
                    edge[0], edge[1], edge[2] = z, y, start
                    edge[3], edge[4], edge[5] = z + 1, y + 1, x
                n = x - start
                v = y - first[label, 1]
                a = start - first[label, 2]
                b = x - first[label, 2]
                along = n * (a + b - 1) // 2
                total[0] += n
                total[1] += n * (z - first[label, 0])
                total[2] += n * v
                total[3] += along
                total[4] += n * v * v
                total[5] += _cubes(b) - _cubes(a)
                total[6] += v * along
                edge[1] = min(edge[1], y)
                edge[2] = min(edge[2], start)
                edge[3] = max(edge[3], z + 1)
                edge[4] = max(edge[4], y + 1)
                edge[5] = max(edge[5], x)
    return first, sums, box


@njit(cache=True, nogil=True)
def crossings(volume, count, offsets):
    """Count where neighbouring pixels differ, along each of some directions.

    `offsets` (k, 3): steps z, y, x, one of each opposite pair. Returns `ends` (count + 1, k), how many lines of pixels
    along each direction enter or leave each region, the edge of the image included; and `keys`, one for each pair of
    touching pixels of two regions: (smaller * (count + 1) + larger) * k + direction.
    """
    depth, height, width = volume.shape
    k = len(offsets)
    ends = np.zeros((count + 1, k), np.int64)
    keys = np.empty(1 << 14, np.int64)
    filled = 0
    for z in range(depth):
        for y in range(height):
            for d in range(k):
                dx = offsets[d, 2]
                z2 = z + offsets[d, 0]
                y2 = y + offsets[d, 1]
                before = z - offsets[d, 0] < 0 or z - offsets[d, 0] >= depth
                before = before or y - offsets[d, 1] < 0 or y - offsets[d, 1] >= height
                row = volume[z, y]
                if before:
                    for x in range(width):
                        ends[row[x], d] += 1
                elif dx > 0:
                    for x in range(min(dx, width)):
                        ends[row[x], d] += 1
                elif dx < 0:
                    for x in range(max(0, width + dx), width):
                        ends[row[x], d] += 1
                if z2 < 0 or z2 >= depth or y2 < 0 or y2 >= height:
                    for x in range(width):
                        ends[row[x], d] += 1
                    continue
                other = volume[z2, y2]
                if dx > 0:
                    for x in range(max(0, width - dx), width):
                        ends[row[x], d] += 1
                elif dx < 0:
                    for x in range(min(-dx, width)):
                        ends[row[x], d] += 1
                if filled + width > len(keys):
                    longer = np.empty(2 * (len(keys) + width), np.int64)
                    longer[:filled] = keys[:filled]
                    keys = longer
                for x in range(max(0, -dx), min(width, width - dx)):
                    p = row[x]
                    q = other[x + dx]
                    if p != q:
                        ends[p, d] += 1
                        ends[q, d] += 1
                        if p != 0 and q != 0:
                            keys[filled] = (np.int64(min(p, q)) * (count + 1) + max(p, q)) * k + d
                            filled += 1
    return ends, keys[:filled]


@njit(cache=True, nogil=True)
def extents(image, count, top, offset):
    """Find the first and the last column of every region in each of its rows.

    `image` (h, w); `top` (count + 1,) first row of each region; `offset` (count + 2,) where its rows begin in the
    results. Returns `left`, and `right` (one beyond the last); rows without a pixel keep FAR and -FAR.
    """
    height, width = image.shape
    left = np.full(offset[-1], FAR, np.int32)
    right = np.full(offset[-1], -FAR, np.int32)
    for y in range(height):
        row = image[y]
        x = 0
        while x < width:
            start = x
            label = row[x]
            while x < width and row[x] == label:
                x += 1
            if label:
                at = offset[label] + y - top[label]
                left[at] = min(left[at], start)
                right[at] = max(right[at], x)
    return left, right


@njit(cache=True, nogil=True)
def _push(hull, size, base, y, x):
    """Add a point to a chain that turns one way only; points on a straight line are dropped. Returns the new size."""
    while size - base >= 2:
        ay, ax = hull[size - 2]
        by, bx = hull[size - 1]
        if (bx - ax) * (y - ay) - (by - ay) * (x - ax) <= 0:
            size -= 1
        else:
            break
    hull[size, 0] = y
    hull[size, 1] = x
    return size + 1


@njit(cache=True, nogil=True)
def hulls(left, right, offset, count, step):
    """Measure the convex hull of every region, drawn around the corners of its pixels.

    Takes what `extents` returns; rows are `step` columns apart. Returns `shape` (count + 1, 3): area of the hull,
    largest and smallest Feret diameter.
    """
    shape = np.zeros((count + 1, 3))
    for region in range(1, count + 1):
        start = offset[region]
        rows = offset[region + 1] - start
        if rows <= 0:
            continue
        hull = np.empty((2 * rows + 4, 2), np.int64)
        size = 0
        for line in range(rows + 1):
            x = -FAR
            if line > 0:
                x = max(x, right[start + line - 1])
            if line < rows:
                x = max(x, right[start + line])
            if x > -FAR:
                size = _push(hull, size, 0, line, x)
        base = size
        for line in range(rows, -1, -1):
            x = FAR
            if line > 0:
                x = min(x, left[start + line - 1])
            if line < rows:
                x = min(x, left[start + line])
            if x < FAR:
                size = _push(hull, size, base, line, x)
        twice = 0
        widest = 0.0
        narrowest = np.inf
        for i in range(size):
            j = i + 1 if i + 1 < size else 0
            ey = step * (hull[j, 0] - hull[i, 0])
            ex = hull[j, 1] - hull[i, 1]
            twice += hull[i, 1] * hull[j, 0] - hull[j, 1] * hull[i, 0]
            reach = 0.0
            for m in range(size):
                vy = step * (hull[m, 0] - hull[i, 0])
                vx = hull[m, 1] - hull[i, 1]
                widest = max(widest, vy * vy + vx * vx)
                reach = max(reach, abs(ex * vy - ey * vx))
            length = ex * ex + ey * ey
            if length > 0:
                narrowest = min(narrowest, reach / np.sqrt(length))
        shape[region, 0] = abs(twice) * step / 2
        shape[region, 1] = np.sqrt(widest)
        shape[region, 2] = narrowest
    return shape
