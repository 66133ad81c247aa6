"""Files of objects by other programs and other habits: read as they are meant, or refused with the true reason."""

import json
import struct
import zipfile

import cv2
import numpy as np
import pytest
import tifffile
from matlens.ingest import annotated, files
from matlens.job.batch import BadItem

SIZE = (40, 60)
CORNERS = [30, 10, 50, 10, 50, 20, 30, 20]  # rows 10 to 19, columns 30 to 49: centre 14.5, 39.5, 200 pixels
YOLO = " ".join(f"{value / (60, 40)[k % 2]:.6f}" for k, value in enumerate(CORNERS))
BOX = "0 0.666667 0.375 0.333333 0.25"
TRACKMATE = """LABEL,ID,TRACK_ID,POSITION_X,POSITION_Y,POSITION_T,FRAME,RADIUS
Label,Spot ID,Track ID,X,Y,T,Frame,Radius
Label,Spot ID,Track ID,X,Y,T,Frame,R
,,,({0}),({0}),(sec),,({0})
ID1,1,0,{1},{2},0,0,{3}
ID2,2,None,{1},{2},1,1,{3}
"""


def read(tmp_path, name, content, frames=1, **options):
    """Write a file of objects beside one image or video, and ingest both; returns the table of the objects."""
    return ingested(tmp_path, name, content, frames, **options).objects


def ingested(tmp_path, name, content, frames=1, **options):
    """Return the image or video itself."""
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (frames, *SIZE)).astype(np.uint8)
    if frames == 1:
        cv2.imwrite(str(tmp_path / "images/a.png"), pixels[0])
    else:
        tifffile.imwrite(tmp_path / "images/a.tif", pixels, imagej=True, metadata={"axes": "TYX"})
    place = tmp_path / name
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    annotated.check_classes(str(place), ["matrix", "thing"], None)
    (row,) = files.plan(path=str(tmp_path / "images"), objects=str(place)).to_dict("records")
    return files.read(row, ["matrix", "thing"], crop_bars=False, **options)


def coco(*entries):
    content = {"images": [{"id": 7, "file_name": "a.png", "height": 40, "width": 60}]}
    content["categories"] = [{"id": 1, "name": "thing"}]
    content["annotations"] = [{"id": k, "image_id": 7, "category_id": 1, **one} for k, one in enumerate(entries)]
    return json.dumps(content)


def labelme(*shapes):
    content = {"shapes": [{"label": "thing", **one} for one in shapes], "imagePath": "a.png"}
    return json.dumps(content | {"imageHeight": 40, "imageWidth": 60})


def via(name, x, y):
    region = {"shape_attributes": {"name": name, "all_points_x": x, "all_points_y": y}, "region_attributes": {}}
    return json.dumps({"a.png1": {"filename": "a.png", "size": 1, "regions": [region]}})


def via3(z=()):
    return json.dumps(
        {
            "project": {"pid": "p"},
            "attribute": {"1": {"aname": "class", "options": {"0": "thing"}}},
            "file": {"1": {"fid": "1", "fname": "a.png", "type": 2}},
            "metadata": {"1_a": {"vid": "1", "z": list(z), "xy": [7, *CORNERS], "av": {"1": "0"}}},
            "view": {"1": {"fid_list": ["1"]}},
        }
    )


VIA_CSV = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    'a.png,1,"{}",1,0,"{""name"":""rect"",""x"":30,""y"":10,""width"":20,""height"":10}","{""class"":""thing""}"\n'
)
CVAT = '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta/>{}</annotations>'
TAIL = 'occluded="0" source="manual" z_order="0"'


def voc(*boxes, database="Unknown", size=(60, 40)):
    """Write boxes (xmin, ymin, xmax, ymax) as labelImg does."""
    names = ("xmin", "ymin", "xmax", "ymax")
    parts = ["".join(f"<{n}>{value}</{n}>" for n, value in zip(names, one, strict=True)) for one in boxes]
    objects = "".join(f"<object><name>thing</name><bndbox>{part}</bndbox></object>" for part in parts)
    about = f"<filename>a.png</filename><source><database>{database}</database></source>"
    stated = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>1</depth></size>"
    return f"<annotation>{about}{stated}{objects}</annotation>"


def cvat(*shapes, more=""):
    return CVAT.format(f'<image id="0" name="sub/a.png" width="60" height="40"{more}>{"".join(shapes)}</image>')


def drawn(kind, **given):
    return f"<{kind} label='thing' {TAIL} " + " ".join(f'{key}="{value}"' for key, value in given.items()) + "/>"


def geojson(*geometries, kind="annotation", **more):
    about = {"objectType": kind, "classification": {"name": "thing", "color": [200, 0, 0]}}
    features = [{"type": "Feature", "id": "x", "geometry": one, "properties": about, **more} for one in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features})


def trackmate(*spots, links=(), kept="0", unit="micron", image='pixelwidth="0.1" pixelheight="0.1"'):
    """Write spots (id, frame, x, y, more) as TrackMate does, and one track of links."""
    about = '<Spot ID="{0}" FRAME="{1}" POSITION_X="{2}" POSITION_Y="{3}" RADIUS="0.3" {4}</Spot>'
    frames = "".join(f'<SpotsInFrame frame="{one[1]}">{about.format(*one)}</SpotsInFrame>' for one in spots)
    edges = "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}"/>' for a, b in links)
    tracks = f'<AllTracks><Track TRACK_ID="0">{edges}</Track></AllTracks>'
    tracks += f'<FilteredTracks><TrackID TRACK_ID="{kept}"/></FilteredTracks>'
    model = f'<Model spatialunits="{unit}"><AllSpots>{frames}</AllSpots>{tracks}</Model>'
    return f'<TrackMate version="7.11"><Log>a</Log>{model}<Settings><ImageData {image}/></Settings></TrackMate>'


OUTLINE = "-1.0 -0.5 1.0 -0.5 1.0 0.5 -1.0 0.5"  # of 20 x 10 pixels around its spot
PAIRS = [[30, 10], [50, 10], [50, 20], [30, 20]]
SAME = {
    "flat.json": coco({"segmentation": CORNERS}),
    "pairs.json": coco({"segmentation": [PAIRS]}),
    "via.csv": VIA_CSV,
    "via3.json": via3(),
    "closed.json": via("polyline", [30, 50, 50, 30, 30], [10, 10, 20, 20, 10]),
    "oriented.json": labelme({"shape_type": "oriented_rectangle", "points": PAIRS}),
    "rotation.json": labelme({"shape_type": "rotation", "points": PAIRS}),
    "tracked.txt": f"{BOX} 0.87 1",
    "tracked_bare.txt": f"{BOX} 1",
    "class.txt": f"0.0 {BOX[2:]}",
    "trackmate.xml": trackmate((5, 0, 3.95, 1.45, f'ROI_N_POINTS="4">{OUTLINE}')),
    "mot.txt": "1,1,31,11,20,10,1,1,1",
    "voc.xml": voc((30, 10, 50, 20)),
    "voc2007.xml": voc((31, 11, 50, 20), database="The VOC2007 Database"),
    "voc16.xml": ('<?xml version="1.0" encoding="UTF-16"?>' + voc((30, 10, 50, 20))).encode("utf-16"),
    "cvat.xml": cvat(drawn("polygon", points="30,10;50,10.0;50,20;30,20")),
    "box.xml": cvat(drawn("box", xtl=35, ytl=5, xbr=45, ybr=25, rotation=90), '<tag label="thing"/>'),
    "mask.xml": cvat(drawn("mask", rle=f"50, 20, {'4, 20, ' * 9}2", left=28, top=8, width=24, height=12)),
    "parts.xml": cvat(*[drawn("box", xtl=x, ytl=10, xbr=x + 10, ybr=20, group_id=3) for x in (30, 40)]),
    "a.geojson": geojson({"type": "Polygon", "coordinates": [[*PAIRS, PAIRS[0]]]}),
    "list.json": json.dumps(json.loads(geojson({"type": "MultiPolygon", "coordinates": [[PAIRS]]}))["features"]),
    "mot.csv": "1,1,31,11,20,10,-1,-1,-1,-1",
    "mot_blanks.txt": "1 1 31 11 20 10 1 1 1",
    "mot_tabs.txt": "1\t1\t31.0\t11.0\t20.0\t10.0\t0.87\t-1\t-1\t-1",
    "mot_semicolons.txt": "1;1;31,0;11,0;20;10;1",
    "mot_semicolons.csv": "1;1;31;11;20;10",
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_rectangle_is_read_from_every_format(tmp_path, name):
    found = read(tmp_path, name, SAME[name])
    assert found[["y_px", "x_px", "area_px2"]].to_numpy().tolist() == [[14.5, 39.5, 200.0]]
    assert found["object"].tolist() == [1] and found["reason"].tolist() == [""]


def test_frames_that_trackpy_writes_twice_are_read_once(tmp_path):
    """Its filter_stubs makes the frame the index of the table and keeps the column."""
    table = "frame,y,x,mass,frame,particle\n0,20,30,9.5,0,4\n1,20,31,9.1,1,4\n"
    found = read(tmp_path, "a.csv", table, 2)
    assert found[["frame", "x_px", "object"]].to_numpy().tolist() == [[0, 30, 4], [1, 31, 4]]


REASONS = {  # what is no object, or not the one that its numbers seem to be
    "box holds two corners": ("c.json", coco({"bbox": [30, 10, 50, 20], "area": 200}), "seems to be two corners"),
    "parts of the image": ("c.json", coco({"segmentation": [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9]]}), "counts pixels"),
    "box in parts": ("c.json", coco({"bbox": [0.1, 0.1, 0.5, 0.5]}), "counts pixels"),
    "odd": ("c.json", coco({"segmentation": [[*CORNERS, 3]]}), "an odd number of coordinates"),
    "three of a box": ("c.json", coco({"bbox": [30, 10, 20]}), "its box has 3 numbers"),
    "key points": ("c.json", coco({"keypoints": [31, 11, 2]}), "key points alone"),
    "panoptic": ("c.json", coco({"segments_info": []}), "give that as masks"),
    "open line": ("v.json", via("polyline", [5, 20, 40], [5, 30, 6]), "an open line"),
    "times": ("v.json", via3([0.5, 1.0]), "times of a video"),
    "labelme words": ("a.json", labelme({"points": [["a", "b"]]}), "its points cannot be read"),
    "labelme 3-D": ("a.json", labelme({"points": [[1, 2, 3], [9, 2, 3], [9, 9, 3], [1, 9, 3]]}), "no pairs"),
    "class at the end": ("a.txt", f"{YOLO} 0", "begins with 0.500000, which is no class"),
    "class below 0": ("a.txt", f"-1 {BOX[2:]}", "begins with -1"),
    "pose": ("a.txt", f"{BOX} 0.6 0.3 1.000000 0.7 0.4 1.000000", "of a pose"),
    "pose of one point": ("a.txt", f"{BOX} 0.6 0.3 1", "of a pose"),
    "pose without a mark": ("a.txt", "0 0.5 0.5 0.2 0.2 0.48 0.5 0.5 0.5 0.52 0.5", "of a pose"),
    "pose not seen": ("a.txt", "0 0.5 0.5 0.5 0.5 0.3 0.3 0.7 0.7 0 0 0 0", "of a pose"),
    "pixels": ("a.txt", "1 31 11 20 10 2", "or write MOT with commas"),
    "commas": ("a.txt", BOX.replace(" ", ","), "has commas"),
    "YOLO corners": ("a.txt", "0 0.6 0.25 0.95 0.5", "seem to be two corners"),
    "unused": ("a.txt", "1,1,31,11,20,10,0,1,1", "confidence is 0"),
    "text": ("a.roi", None, "is a text or a picture"),
    "VOC in parts": ("a.xml", voc((0.1, 0.1, 0.5, 0.9)), "Pascal VOC counts pixels"),
    "VOC turned": ("a.xml", voc((1, 1, 9, 9)).replace("bndbox", "robndbox"), "no upright box"),
    "VOC word": ("a.xml", voc((1, "a", 9, 9)), "it has 'a' as its ymin"),
    "VOC without": ("a.xml", voc((1, 1, 9, 9)).replace("ymax", "top"), "it has no ymax"),
    "VOC negative": ("a.xml", voc((9, 1, 1, 9)), "the width -8"),
    "CVAT cuboid": ("a.xml", cvat(drawn("cuboid", xtl1=3)), "its shape is 'cuboid'"),
    "CVAT open": ("a.xml", cvat(drawn("polyline", points="5,5;20,30;40,6")), "an open line"),
    "CVAT points": ("a.xml", cvat(drawn("polygon", points="5,5;20")), "no pairs of x and y"),
    "CVAT mask": ("a.xml", cvat(drawn("mask", rle="3, 4", left=0, top=0, width=4, height=4)), "sum to 7, not to 4 x 4"),
    "CVAT endless": ("a.xml", cvat(drawn("mask", rle="4", left="inf", top=0, width=2, height=2)), "cannot be read"),
    "CVAT box": ("a.xml", cvat(drawn("box", xtl=3)), "it has no ytl"),
    "line": ("a.geojson", geojson({"type": "LineString", "coordinates": PAIRS}), "its geometry is 'LineString'"),
    "empty": ("a.geojson", geojson(None), "its geometry is empty"),
    "odd place": ("a.geojson", geojson({"type": "Polygon", "coordinates": [[1, 2, 3]]}), "cannot be read"),
}


def rectangle(place=(0, 0, 0), sort=0):
    """Make a rectangle of ImageJ by its published layout, at a channel, slice and frame."""
    head = struct.pack(">4shBBhhhhH", b"Iout", 228, 1, 0, 10, 30, 20, 50, 0)
    head = head.ljust(48, b"\0") + struct.pack(">h", sort)
    return head.ljust(60, b"\0") + struct.pack(">i", 64) + struct.pack(">4i", 0, *place) + b"\0" * 48


@pytest.mark.parametrize("case", REASONS)
def test_what_is_no_such_object_has_the_true_reason(tmp_path, case):
    name, content, reason = REASONS[case]
    found = read(tmp_path, name, rectangle(sort=1) if content is None else content)
    assert len(found) == 1 and reason in found["reason"].item()


KEYS = "".join(drawn("box", xtl=5, ytl=5, xbr=9, ybr=9, keyframe=1, frame=frame) for frame in (0, 9))
STOPS = {  # files of which it is not known what their numbers mean
    "results of ImageJ": ("a.csv", " ,Area,Mean,X,Y\n1,2,100,4.0,1.5\n", "a unit that it does not state"),
    "corner or centre": ("a.csv", "x,y,width,height\n30,10,20,10\n", "may be a corner"),
    "sizes in um": ("a.csv", "y,x,Diameter (um)\n15,40,3\n", "sizes in 'Diameter .um.' are of an unknown unit"),
    "sizes in nm": ("a.csv", "y_px,x_px,radius_nm\n15,40,3\n", "sizes in 'radius_nm' are of an unknown unit"),
    "results without a number": ("a.csv", ",Area,X,Y\n1,20,4.0,1.5\n", "a unit that it does not state"),
    "places of a volume": ("a.csv", "id,t,z,y,x\n1,0,0,15,40\n1,1,3,15,41\n", "'z' has several values"),
    "identities": ("a.csv", "ID,T,Y,X\n1,0,15,40\n1,1,15,41\n", "'ID' may number tracks, or the objects of each frame"),
    "twice": ("a.csv", "x,y,x,y\n1,2,40,15\n", "two columns are named"),
    "Latin 1": ("a.csv", "y,x,class\n15,40,L\u00fccke\n".encode("latin1"), "neither UTF-8 nor UTF-16"),
    "inches": ("a.csv", TRACKMATE.format("inch", 40, 15, 3), "places are in 'inch'"),
    "results of COCO": ("a.json", '[{"image_id": 7, "category_id": 1}]', "a list of COCO results"),
    "results": ("a.json", '[{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 0.9}]', "detections of a program, no truth"),
    "results inside": ("a.json", '{"annotations": [{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 0.9}]}', "no truth"),
    "map": ("a.json", '{"type": "FeatureCollection", "crs": {"type": "name"}, "features": []}', "those of a map"),
    "entity": ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "xml: it defines the entity 'b'"),
    "outside": ("a.xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/hostname">]><annotation>&b;</annotation>', "entity 'b'"),
    "cut off": ("a.xml", voc((1, 1, 9, 9))[:-20], "its XML is cut off"),
    "another XML": ("a.xml", "<microscope><kV>200</kV></microscope>", "'microscope' is none of Pascal VOC"),
    "both of CVAT": ("a.xml", cvat().replace("</image>", "</image><track id='0'/>"), "images and tracks"),
    "key frames": ("a.xml", CVAT.format(f"<track id='4'>{KEYS}</track>"), "the key frames 0 and 9 and none between"),
    "not square": ("a.xml", trackmate(image='pixelwidth="0.1" pixelheight="0.2"'), "0.1 wide and 0.2 high"),
    "no spots": ("a.xml", "<TrackMate version='7'><Log>hello</Log></TrackMate>", "it has no spots"),
    "videos": ("a.json", '{"videos": [], "annotations": [], "categories": []}', "COCO of videos is not read"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPS)
def test_a_file_whose_numbers_may_mean_something_else_stops_the_study(tmp_path, case):
    name, content, reason = STOPS[case]
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, name, content)


def test_one_plane_in_two_spellings_is_one_plane(tmp_path):
    assert len(read(tmp_path, "a.csv", "z,y,x\n0,15,40\n0.0,15,41\n")) == 2


def test_a_polygon_in_the_corner_of_the_image_is_no_pose(tmp_path):
    corners = "0.5 0.5 0.75 0.25 1 0.5 1 1 0.5 1"  # numbers 7 and 10 are 1, as those of a pose may be
    found = read(tmp_path, "a.txt", f"0 {corners}")
    assert found["reason"].tolist() == [""] and found["area_px2"].item() == pytest.approx(750, abs=20)


def test_lines_that_may_be_poses_or_polygons_are_polygons_with_a_remark(tmp_path):
    """A box of 0.3 with key points over 0.3; oriented boxes in one part of the image are like it."""
    places = [(0.3 + 0.03 * k, 0.4) for k in range(8)]
    poses = [
        f"0 {x:.2f} {y} 0.3 0.3 {x - 0.14:.2f} {y} {x:.2f} 0.54 {x + 0.14:.2f} {y} {x:.2f} 0.26" for x, y in places
    ]
    turned = [f"0 {x:.2f} {y} {x + 0.1:.2f} {y} {x + 0.1:.2f} {y + 0.1} {x:.2f} {y + 0.1}" for x, y in places]
    for name, lines in (("poses", poses), ("turned", turned)):
        (tmp_path / name).mkdir()
        found = ingested(tmp_path / name, "a.txt", "\n".join(lines))
        assert "may be poses" in found.meta["remark"] and not any(found.objects["reason"])
    corners = [(x, 0.1 + 0.1 * k) for k, x in enumerate(np.linspace(0.1, 0.8, 8))]
    lines = [f"0 {x:.2f} {y:.2f} {x + 0.1:.2f} {y:.2f} {x + 0.1:.2f} {y + 0.1:.2f}" for x, y in corners]
    (tmp_path / "polygons").mkdir()
    assert not any(read(tmp_path / "polygons", "a.txt", "\n".join(lines))["reason"])


LATE, EARLY, SCORES = "begin one pixel late", "lie one pixel early", "its objects have scores"
COUNTED = {  # left and upper edge of the first box, and parts of the remark
    "MOT from 0": ("a.txt", "1,1,0,10,20,10,1", (10, 0), ()),
    "MOT from 1": ("a.txt", "1,1,41,11,20,10,1", (10, 40), ()),
    "MOT of either": ("a.txt", "1,1,31,11,20,10,1", (10, 30), (EARLY,)),
    "MOT beyond": ("a.txt", "1,1,0,11,20,10,1\n1,2,-3,11,9,9,1", (10, 0), (EARLY,)),
    "VOC from 0": ("a.xml", voc((0, 10, 20, 20)), (10, 0), ()),
    "VOC of either": ("a.xml", voc((30, 10, 50, 20)), (10, 30), (LATE,)),
    "VOC by name": ("a.xml", voc((31, 11, 50, 20), database="The VOC2007 Database"), (10, 30), ()),
    "VOC by name from 0": ("a.xml", voc((0, 10, 20, 20), database="The VOC2007 Database"), (10, 0), ()),
    "scores of YOLO": ("a.txt", f"{BOX} 0.87", (10, 30), (SCORES,)),
    "scores of COCO": ("a.json", coco({"bbox": [30, 10, 20, 10], "score": 0.87}), (10, 30), (SCORES,)),
    "scores of MOT": ("a.txt", "1,-1,41,11,20,10,0.87", (10, 40), (SCORES,)),
    "no scores": ("a.json", coco({"bbox": [30, 10, 20, 10], "score": 1}), (10, 30), ()),
}


@pytest.mark.parametrize("case", COUNTED)
def test_the_first_pixel_is_that_of_the_numbers_and_a_remark_says_what_was_taken(tmp_path, case):
    name, content, corner, remarks = COUNTED[case]
    found = ingested(tmp_path, name, content)
    said, first = found.meta.get("remark") or "", found.objects.iloc[0]
    if case == "MOT beyond":  # the box that begins at 0 is cut at the border
        assert first["bbox_x_max_px"] == 19
    assert (first["bbox_y_min_px"], first["bbox_x_min_px"]) == corner and first["reason"] == ""
    assert all(part in said for part in remarks) and sum(part in said for part in (LATE, EARLY, SCORES)) == len(remarks)


def test_an_archive_without_regions_is_no_image_without_objects(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("mask.png", b"abc")
    with pytest.raises(BadItem, match="no region of ImageJ"):
        read(tmp_path, "a.zip", (tmp_path / "z.zip").read_bytes())


def test_a_box_of_cvat_is_turned(tmp_path):
    found = read(tmp_path, "c.json", coco({"bbox": [30, 10, 20, 10], "attributes": {"rotation": 90.0}}))
    assert found[["bbox_y_min_px", "bbox_x_min_px", "bbox_y_max_px", "bbox_x_max_px"]].to_numpy().tolist() == [
        [5, 35, 25, 45]
    ]


@pytest.mark.parametrize(
    ("given", "objects"),
    [([0, 1, -1], [1, 2, 5]), (["7", "3", None], [7, 3, 10]), (["a", "b", "a"], [1, 2, 1]), ([2**40, 5, 6], [1, 2, 3])],
)
def test_identities_of_coco_may_be_texts_and_tracks_count_from_any_number(tmp_path, given, objects):
    boxes = [{"bbox": [10 * k, 5, 5, 5], "track_id": one, "iscrowd": "0"} for k, one in enumerate(given)]
    text = coco(*boxes).replace('"category_id": 1', '"category_id": "1"').replace('"image_id": 7', '"image_id": "7"')
    found = read(tmp_path, "c.json", text)
    assert found["object"].tolist() == objects
    assert [bool(reason) for reason in found["reason"]] == [False, False, objects[2] == objects[0]]


@pytest.mark.parametrize(
    "one",
    [
        {"bbox": [30, 10, 20, 10], "segmentation": [[10, 30, 10, 50, 20, 50, 20, 30]]},  # y before x
        {"bbox": [30, 10, 20, 10], "segmentation": {"size": [40, 60], "counts": [630, 20] + [40, 20] * 9 + [1210]}},
    ],
)
def test_an_outline_of_coco_that_is_not_in_its_box_has_the_reason(tmp_path, one):
    (reason,) = read(tmp_path, "c.json", coco(one))["reason"]
    assert "lies elsewhere than its outline" in reason


FITTING = [[30, 10, 20, 10], [30, 10, 50, 20], [40, 15, 20, 10], [31.2, 9, 19, 10.5], [0, 0, 0, 0], [None] * 4]


@pytest.mark.parametrize("bbox", FITTING)
def test_an_outline_of_coco_keeps_a_box_that_fits_or_says_nothing(tmp_path, bbox):
    assert read(tmp_path, "c.json", coco({"bbox": bbox, "segmentation": [CORNERS]}))["reason"].tolist() == [""]


def test_points_of_labelme_and_napari_and_utf_16(tmp_path):
    cases = {
        "a.json": labelme({"shape_type": "points", "points": [[40.5, 15.5], [3.5, 4.5]]}),
        "b.csv": "index,axis-0,axis-1\n0.0,15.0,40.0\n1.0,4.0,3.0\n",
        "c.csv": "y\tx\n15\t40\n4\t3\n".encode("utf-16"),
    }
    for name, content in cases.items():
        (tmp_path / name[0]).mkdir()
        found = read(tmp_path / name[0], name, content)
        assert found[["y_px", "x_px"]].to_numpy().tolist() == [[15, 40], [4, 3]]


@pytest.mark.parametrize(("unit", "factor"), [("pixel", 1), ("micron", 0.1), ("nm", 100)])
def test_places_of_trackmate_are_lengths(tmp_path, unit, factor):
    text = TRACKMATE.format(unit, 40 * factor, 15 * factor, 3 * factor)
    found = read(tmp_path, "a.csv", text, frames=3, pixel_size_um=0.1)
    assert found[["y_px", "x_px"]].to_numpy() == pytest.approx(np.array([[15, 40], [15, 40]]))
    assert found["area_px2"].tolist() == [29, 29]  # centres of pixels within 3 pixels
    assert found["frame"].tolist() == [0, 1] and found["object"].tolist() == [1, 3] and not any(found["reason"])


def test_lengths_without_a_pixel_size_are_refused(tmp_path):
    with pytest.raises(BadItem, match="pixel size is not known"):
        read(tmp_path, "a.csv", TRACKMATE.format("micron", 4, 1.5, 0.3), frames=3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("y,x,frame,track\n15,40,1,1\n15,40,2,1\n15,40,3,1\n", "frames 1 to 3 of a video of 3 frames"),
        ("y,x,time_s\n15,40,0\n15,41,1\n", "the column 'time_s' and no frames"),
        ("y,x,Time (ms)\n15,40,0\n15,41,1\n", "the column 'Time .ms.' and no frames"),
        ("y,x,t [s]\n15,40,0\n15,41,1\n", "the column 't .s.' and no frames"),
        ("y,x,t\n15,40,0\n15,41,0.5\n15,42,1.0\n", "the column 't' and no frames"),
        ("y,x,t\n15,40,0\n15,41,2\n", "the column 't' and no frames"),
        (
            "POSITION_Y,POSITION_X,POSITION_T\n(pixel),(pixel),(sec)\n5,4,0\n5,4,2\n",
            "the column 'POSITION_T' and no fr",
        ),
        ("y,x,frame_time,track\n15,40,0,1\n15,41,2,1\n", "the column 'frame_time' and no frames"),
        ("y,x,frame (s)\n15,40,0\n15,41,2\n", "the column 'frame .s.' and no frames"),
        ("y,x,img\n15,40,0\n15,41,1\n", "the column 'img' and no frames"),
        ("y,x,track\n15,40,1\n15,41,1\n", "the column 'track' and no frames"),
        ("y,x,frame\n15,40,2\n15,41,3\n", "frames 2 to 3 of a video of 3 frames; count them from 0"),
        ("y,x,frame\n15,40,0\n15,41,2\n15,41,4\n", "frames 0 to 4 in steps of 2 of a video of 3 frames"),
    ],
)
def test_frames_that_are_times_or_count_from_1_are_refused(tmp_path, text, reason):
    with pytest.raises((BadItem, ValueError), match=reason):
        read(tmp_path, "a.csv", text, frames=3)


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("Frame #,y,x\n0,15,40\n2,15,41\n", [0, 2]),  # every second frame
        ("t,y,x\n0,15,40\n1,15,41\n3,15,42\n", [0, 1, 3]),  # one frame is missing
        ("axis-0,axis-1,axis-2\n0,15,40\n2,15,41\n", [0, 2]),  # napari counts frames
        ("frame,y,x\n1,15,40\n,15,41\n", [0, 1]),  # the row without a frame has a reason, and is in no other frame
        ("class,y,x,radius_px\nthing,15,40,0\n", [0, 1, 2, 3]),  # nothing in the file may be a time
    ],
)
def test_frames_of_places(tmp_path, text, frames):
    found = read(tmp_path, "a.csv", text, frames=4)
    assert found["frame"].tolist() == frames
    assert [reason for reason in found["reason"] if reason] == ["line 3 has no frame; fill it"] * ("\n,15" in text)


def test_a_time_that_all_objects_of_an_image_have_is_no_frame(tmp_path):
    assert read(tmp_path, "a.csv", "t,y,x\n2.5,15,40\n2.5,4,3\n")["reason"].tolist() == ["", ""]


@pytest.mark.parametrize("unit", ["(um)", "[um]", "um"])
def test_units_below_a_header_hold_for_every_table(tmp_path, unit):
    found = read(tmp_path, "a.csv", f"y,x\n{unit},{unit}\n1.5,4\n", pixel_size_um=0.1)
    assert found[["y_px", "x_px"]].to_numpy() == pytest.approx(np.array([[15, 40]]))


@pytest.mark.parametrize(
    ("header", "given", "objects"),
    [
        ("TrackID", [0, 3], [1, 4]),
        ("track id", [5, 7], [5, 7]),
        ("particle", [2**40, 3], [1, 2]),
        ("track", ["a", "b"], [1, 2]),
        ("track", [-1, 2], [3, 2]),
    ],
)
def test_tracks_of_every_table_are_numbered_alike(tmp_path, header, given, objects):
    text = f"frame,y,x,{header}\n" + "".join(f"{k},15,40,{one}\n" for k, one in enumerate(given))
    found = read(tmp_path, "a.csv", text, frames=3)
    assert found["object"].tolist() == objects and not any(found["reason"])


def test_tracks_of_mot_that_count_from_0_are_kept(tmp_path):
    found = read(tmp_path, "a.txt", "1,0,31,11,20,10,1,1,1\n2,0,32,11,20,10,1,1,1\n3,5,9,9,9,9,1,1,1\n", frames=3)
    assert found["object"].tolist() == [1, 1, 6]


def test_frames_of_mot_that_count_from_0_are_refused(tmp_path):
    with pytest.raises(BadItem, match="line 1 is of frame 0"):
        read(tmp_path, "a.txt", "0,1,31,11,20,10,1,1,1\n1,1,31,11,20,10,1,1,1\n", frames=3)


def test_slices_of_regions_are_frames_where_all_are_in_the_first_frame(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for number in (1, 2, 3):
            archive.writestr(f"r{number}.roi", rectangle((1, number, 1)))
        archive.writestr("__MACOSX/._r1.roi", b"\0\5\x16\7")
    found = read(tmp_path, "a.zip", (tmp_path / "z.zip").read_bytes(), frames=3)
    assert found["frame"].tolist() == [0, 1, 2] and found["area_px2"].tolist() == [200] * 3


def test_tracks_of_mot_are_followed_from_its_first_frame(tmp_path):
    found = read(tmp_path, "a.txt", "1,4,31,11,20,10,1,1,1\n2,4,32,11,20,10,1,1,1\n", frames=3)
    assert found["object"].tolist() == [4, 4] and found["x_px"].tolist() == [39.5, 40.5]


def test_holes_points_and_regions_of_qupath(tmp_path):
    hole = [[35, 12], [45, 12], [45, 18], [35, 18]]
    cases = {
        "a": (geojson({"type": "Polygon", "coordinates": [PAIRS, hole]}), [140], [""]),
        "b": (geojson({"type": "MultiPoint", "coordinates": [[3.5, 4.5], [9.5, 9.5]]}), [1, 1], ["", ""]),
        "c": (geojson({"type": "Polygon", "coordinates": [PAIRS]}, kind="cell"), [200], [""]),
    }
    for name, (content, areas, reasons) in cases.items():
        (tmp_path / name).mkdir()
        found = read(tmp_path / name, "a.geojson", content)
        assert found["area_px2"].tolist() == areas and found["reason"].tolist() == reasons
    both = json.loads(cases["a"][0])["features"] + json.loads(cases["c"][0])["features"]
    (tmp_path / "d").mkdir()
    found = read(tmp_path / "d", "a.json", json.dumps(both))
    assert "a region that they lie in" in found["reason"][0] and found["visible_px2"].tolist()[1] == 200


def test_frames_of_qupath_and_of_cvat(tmp_path):
    planes = [{"type": "Point", "coordinates": [5, 5], **({"plane": {"c": -1, "z": 0, "t": t}} if t else {})}
              for t in range(3)]  # fmt: skip
    boxes = [drawn("box", xtl=5 + t, ytl=5, xbr=9 + t, ybr=9, frame=t, outside=int(t == 1)) for t in range(3)]
    track = CVAT.format(f'<track id="0" label="thing">{"".join(boxes)}</track>')
    for name, content, frames, numbers in (
        ("a.geojson", geojson(*planes), [0, 1, 2], [1, 2, 3]),
        ("b.xml", track, [0, 2], [1, 1]),
    ):
        (tmp_path / name[0]).mkdir()
        found = read(tmp_path / name[0], name, content, frames=3)
        assert found["frame"].tolist() == frames and found["object"].tolist() == numbers


def test_a_track_of_trackmate_that_splits_is_two_after_it(tmp_path):
    spots = [(1, 0, 3, 2, ">"), (2, 1, 3, 2, ">"), (3, 2, 2, 2, ">"), (4, 2, 4, 2, ">"), (7, 2, 5.5, 1, ">")]
    hidden = (9, 0, 1, 1, 'VISIBILITY="0">')
    text = trackmate(*spots, hidden, links=[(1, 2), (2, 3), (4, 2)])
    found = read(tmp_path, "a.xml", text, frames=3)
    assert found[["frame", "object"]].to_numpy().tolist() == [[0, 1], [0, 9], [1, 1], [2, 2], [2, 3], [2, 8]]
    assert found["reason"].tolist() == ["", "it was filtered out in TrackMate", "", "", "", ""]
    assert found[["y_px", "x_px", "area_px2"]].to_numpy()[0] == pytest.approx([20, 30, 29])
    (tmp_path / "left").mkdir()
    left = read(tmp_path / "left", "a.xml", text.replace('TrackID TRACK_ID="0"', 'TrackID TRACK_ID="1"'), frames=3)
    assert (left["reason"] != "").sum() == 5


def test_lengths_of_trackmate_without_its_image_take_the_pixel_size_of_the_study(tmp_path):
    text = trackmate((1, 0, 4, 1.5, ">"), unit="nm", image="")
    found = read(tmp_path, "a.xml", text, pixel_size_um=0.0001)
    assert found[["y_px", "x_px"]].to_numpy() == pytest.approx(np.array([[15, 40]]))
    tracks = '<Tracks spaceUnits="micron"><particle><detection t="0" x="4" y="1.5" z="0"/></particle></Tracks>'
    (tmp_path / "b").mkdir()
    found = read(tmp_path / "b", "a.xml", tracks, pixel_size_um=0.1)
    assert found[["y_px", "x_px"]].to_numpy() == pytest.approx(np.array([[15, 40]]))


def test_xml_of_microscopes_in_a_folder_of_objects_is_passed_over(tmp_path):
    (tmp_path / "a.xml").write_text(voc((30, 10, 50, 20)))
    (tmp_path / "b.xml").write_text("<!-- <annotation> --><microscope/>")
    (tmp_path / "c.xml").symlink_to(tmp_path / "nowhere.xml")
    assert [path.name for path in annotated.files(str(tmp_path))] == ["a.xml"]


def test_boxes_of_voc_drawn_on_a_smaller_copy_are_scaled(tmp_path):
    found = read(tmp_path, "a.xml", voc((15, 5, 25, 10), size=(30, 20)))
    assert found["area_px2"].tolist() == [200]
