"""Compiled loops along the outlines of regions, on the lattice of pixel corners; see `region_kernels` for the cache.

Corner (y, x) is the upper left one of pixel (y, x): an image of h by w pixels has h + 1 by w + 1 corners.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def junctions(image):
    """List the corners at which at least three regions meet, (m, 2) int64 y, x; background is no region."""
    height, width = image.shape
    found = np.empty((1024, 2), np.int64)
    size = 0
    for y in range(1, height):
        for x in range(1, width):
            a, b, c, d = image[y - 1, x - 1], image[y - 1, x], image[y, x - 1], image[y, x]
            if (a == b and c == d) or (a == c and b == d):
                continue
            kinds = int(a != 0)
            kinds += int(b != 0 and b != a)
            kinds += int(c != 0 and c != a and c != b)
            kinds += int(d != 0 and d != a and d != b and d != c)
            if kinds >= 3:
                if size == len(found):
                    longer = np.empty((2 * size, 2), np.int64)
                    longer[:size] = found
                    found = longer
                found[size, 0] = y
                found[size, 1] = x
                size += 1
    return found[:size]


@njit(cache=True, nogil=True)
def trace(image, first, count, marks):
    """Walk around every region, clockwise as one sees it, and note the junctions on the way.

    `image` (h, w) int32; `first` (count + 1, 2), the first pixel of each region in reading order; `marks` (h + 1, w +
    1), the number of the junction at each corner, or -1. Pixels of a region that touch by a corner are connected.
    Returns `visits`, the junctions of all regions one after the other, repeats in a row taken once; `offset` (count +
    2,), where those of each region begin; and `closed` (count + 1,), whether only regions lie along the whole outline.
    """
    height, width = image.shape
    visits = np.empty(1024, np.int64)
    offset = np.zeros(count + 2, np.int64)
    closed = np.ones(count + 1, np.bool_)
    size = 0
    for region in range(1, count + 1):
        offset[region] = size
        y, x = first[region]
        heading = 0  # right, down, left, up; the region is on the right hand
        while True:
            if heading == 0:
                ly, lx = y - 1, x
                x += 1
            elif heading == 1:
                ly, lx = y, x
                y += 1
            elif heading == 2:
                ly, lx = y, x - 1
                x -= 1
            else:
                ly, lx = y - 1, x - 1
                y -= 1
            if ly < 0 or lx < 0 or ly >= height or lx >= width or image[ly, lx] == 0:
                closed[region] = False
            mark = marks[y, x]
            if mark >= 0 and (size == offset[region] or visits[size - 1] != mark):
                if size == len(visits):
                    longer = np.empty(2 * size, np.int64)
                    longer[:size] = visits
                    visits = longer
                visits[size] = mark
                size += 1
            if heading == 0:
                ay, ax, by, bx = y - 1, x, y, x
            elif heading == 1:
                ay, ax, by, bx = y, x, y, x - 1
            elif heading == 2:
                ay, ax, by, bx = y, x - 1, y - 1, x - 1
            else:
                ay, ax, by, bx = y - 1, x - 1, y - 1, x
            if ay >= 0 and ax >= 0 and ay < height and ax < width and image[ay, ax] == region:
                heading = (heading + 3) % 4
            elif not (by >= 0 and bx >= 0 and by < height and bx < width and image[by, bx] == region):
                heading = (heading + 1) % 4
            if heading == 0 and y == first[region, 0] and x == first[region, 1]:
                break
        if size - offset[region] > 1 and visits[size - 1] == visits[offset[region]]:
            size -= 1
    offset[count + 1] = size
    return visits[:size], offset, closed


@njit(cache=True, nogil=True)
def arms(image, place, members, radius, step):
    """Sum the boundary points around triple points, for a line through each of the three boundaries.

    `place` (m, 2): corners; `members` (m, 3): the regions that meet there; points are midpoints of pixel edges.
    Rows are `step` pixel widths apart; `radius` and the sums are in pixel widths.
    Returns (m, 3, 6): number of points and sums of y, x, yy, xx, yx from the corner, for the boundaries between
    the first and second, second and third, third and first member.
    """
    height, width = image.shape
    sums = np.zeros((len(place), 3, 6))
    reach = int(np.ceil(radius)) + 1
    high = int(np.ceil(radius / step)) + 1
    for m in range(len(place)):
        cy, cx = place[m]
        for y in range(max(0, int(cy) - high), min(height, int(cy) + high + 1)):
            for x in range(max(0, int(cx) - reach), min(width, int(cx) + reach + 1)):
                for side in range(2):
                    y2, x2 = y + side, x + 1 - side
                    if y2 >= height or x2 >= width or image[y, x] == image[y2, x2]:
                        continue
                    dy = step * ((y + y2 + 1) / 2 - cy)
                    dx = (x + x2 + 1) / 2 - cx
                    if dy * dy + dx * dx > radius * radius:
                        continue
                    p = q = -1
                    for k in range(3):
                        if image[y, x] == members[m, k]:
                            p = k
                        if image[y2, x2] == members[m, k]:
                            q = k
                    if p < 0 or q < 0:
                        continue
                    arm = min(p, q) if abs(p - q) == 1 else 2
                    total = sums[m, arm]
                    total[0] += 1
                    total[1] += dy
                    total[2] += dx
                    total[3] += dy * dy
                    total[4] += dx * dx
                    total[5] += dy * dx
    return sums
