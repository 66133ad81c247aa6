"""The dictionary of columns: one name, one meaning, one unit, in every table of the project.

Lengths are measured in pixels (`_px`, `_px2`, `_per_px`, ...): where pixels are not square or slices are further apart
than pixels, their unit is the width of a pixel, along x. Where that width is known, `calibrate` adds the same quantity
in micrometres (`_um`, `_um2`, `_per_um`, ...); where it is not, those columns are empty.
"""

import re

ITEM = "item"
KEY = "key"
STAGE = "stage"
REASON = "reason"
FILE = "file"
SAME_AS = "same_as"
TRUTH_FILE = "truth_file"
SPLIT = "split"
LEARNED = ("train", "val")  # splits that a method was learned from, or chosen by
GROUP = "group"
METHOD = "method"
PHASE = "phase"
PHASE_NAME = "phase_name"
REGION = "region"
FRAME = "frame"
MEASURE = "measure"
VALUE = "value"
PIXEL_SIZE = "pixel_size_um"
PIXEL_SIZE_Y = "pixel_size_y_um"
PIXEL_SIZE_Z = "pixel_size_z_um"
SCALE_NOTE = "scale_note"
GREY_NOTE = "grey_note"
GREY_LOW = "grey_low"
GREY_HIGH = "grey_high"
TIME = "time_h"
TEMPERATURE = "temperature_c"
CLEAN = "clean"  # the layer of an image that holds it without noise
COLOUR = "colour"  # the layer of an image that holds its red, green and blue
IGNORED = "ignored_px"
REMARK = "remark"
POINTS_LEFT_OUT = "points_left_out"
BAR_ROWS = "bar_rows_px"
BAR_TOP_ROWS = "bar_top_rows_px"
BAR_COLUMNS = "bar_columns_px"
TRUTH_PHASES = "truth_phases"
TAIL = "constant_rows_px"
EXCLUDE_FILE = "exclude_file"
CLEAN_FILE = "clean_file"
SCALE_BAR = "scale_bar_px"
SCALE_BAR_BOX = "scale_bar_box"
STRAY_TRUTH = "stray_truth_px"
TRUTH_SHIFT_Y, TRUTH_SHIFT_X = "truth_shift_y_px", "truth_shift_x_px"
OBJECT = "object"
DETECTION = "detection"
THRESHOLD = "threshold"
CONTROL = "control"
OUTCOME = "outcome"
TRACK = "track"
TRUE_LIFE = "true_life_frames"
TRUE_DIFFUSION = "true_diffusion_px2_per_frame"
EVENT = "event"
AREA = "area_px2"
AREA_FRACTION = "area_fraction"
ITEM_SEED = "item_seed"
TRUE_FRACTION = "true_area_fraction"
TRUE_MODEL_FRACTION = "true_model_fraction"
TRUE_REGIONS = "true_regions"
TRUE_RADIUS = "true_mean_radius_px"
TRUE_SECTION_RADIUS = "true_section_radius_px"

MEANING = {
    ITEM: "identifier of the micrograph or structure, unique in its study",
    KEY: "position of the item in its study, counted from 0 in sorted order; names it inside arrays",
    STAGE: "stage that rejected the item",
    REASON: "why the item was rejected, and what would help",
    FILE: "file the item was read from",
    SAME_AS: "item whose file has the very same bytes; empty where there is none",
    TRUTH_FILE: "file of its ground truth labels",
    SPLIT: "role in learning: train, val or test",
    GROUP: "specimen or parent image; never divided between splits",
    METHOD: "method that made the row",
    PHASE: "number of the phase in the label image",
    PHASE_NAME: "name of the phase in the study",
    REGION: "number of the region within its item, counted from 1",
    MEASURE: "what the value of the row is, with its unit",
    FRAME: "number of the frame of a video, counted from 0",
    PIXEL_SIZE: "width of one pixel, along x, in micrometres; empty when the file does not say",
    PIXEL_SIZE_Y: "height of one pixel, along y, in micrometres; empty when it is not known",
    PIXEL_SIZE_Z: "distance between the slices of a volume, in micrometres; empty for images and when it is not known",
    SCALE_NOTE: "doubt about the scale: not plausible, missing along z, file and study apart; empty without one",
    GREY_NOTE: "doubt about the grey values: little of the range is used, or more than that of the study",
    GREY_LOW: "grey value that means black, 0; images of a series share it",
    GREY_HIGH: "grey value that means white, 1",
    TIME: "time of the heat treatment, in hours",
    TEMPERATURE: "temperature of the heat treatment, in degrees Celsius",
    OBJECT: "number of the true object in its frame; the same in every frame of a video",
    DETECTION: "number of the detection in its frame, counted from 1",
    THRESHOLD: "score from which detections were taken; empty for methods without one",
    CONTROL: "control method beside the method of the row; empty for the method itself",
    OUTCOME: "tp: the detection is right by its centre, fp: it is false; empty where the truth is not known",
    "detected_by": "method of the stage detect whose detections were linked",
    TRACK: "number of the track in its series, counted from 1; empty for a detection that is in none",
    TRUE_LIFE: "model: mean life of an object, in frames",
    TRUE_DIFFUSION: "model: diffusion coefficient of an object, in square pixels per frame",
    "series_frame": "number of the frame in its series, counted from 0",
    "drift_y_px": "common shift of the tracks since the first frame, down, in pixels",
    "drift_x_px": "common shift of the tracks since the first frame, to the right, in pixels",
    "gate_px": "farthest that a tracked detection may lie from its true object, in pixels",
    "id_switches": "changes of the track that follows a true object",
    "mota": "1 - (missed + false + id_switches) / true; the detector sets most of it",
    "motp": "mean similarity of matches: 1 in place, 0.5 at the gate",
    "mostly_tracked": "true objects followed in more than 80 % of their frames",
    "mostly_lost": "true objects followed in less than 20 % of their frames",
    "idtp": "detections of tracks matched one to one with true objects over the whole series",
    "idfp": "detections without a match of that kind",
    "idfn": "true places without a match of that kind",
    "idf1": "harmonic mean of precision and recall of those matches: links count",
    "hota": "higher order tracking accuracy: geometric mean of detection and association",
    "det_a": "accuracy of detection in it",
    "ass_a": "accuracy of association in it",
    "age_frames": "age of a track since its birth, in frames",
    "survival": "part of the tracks that live longer than that (Kaplan, Meier)",
    "survival_error": "its standard error (Greenwood)",
    "lives": "tracks that count",
    "deaths": "tracks whose end was seen inside the image",
    "mean_life_frames": "mean life of an exponential law: frames at risk over deaths; empty if nothing died",
    "mean_life_error_frames": "its standard error",
    "lag_frames": "frames between two places of a track",
    "msd_px2": "mean square displacement over that lag, in square pixels",
    "pairs": "pairs of places behind it",
    "diffusion_px2_per_frame": "D of MSD = 4 D t + 4 s^2, in square pixels per frame",
    "localisation_px": "s of that law, the error of a place along an axis, in pixels",
    "drift_y_px_per_frame": "mean common drift, down, in pixels per frame",
    "drift_x_px_per_frame": "mean common drift, to the right, in pixels per frame",
    EVENT: "birth or enters where a track begins, death or leaves where it ends; empty at the ends of the series",
    "match": "when a detection is right: its centre is near (centre) or its box overlaps (iou)",
    "match_at": "farthest distance of the centres in pixels, or least intersection over union of the boxes",
    "tp": "right detections, each matched to one true object",
    "fp": "detections without an object (false alarms)",
    "fn": "objects without a detection (missed)",
    "f1": "harmonic mean of precision and recall",
    "found": "number of detections",
    "true": "number of true objects",
    "count_error": "number of detections over that of objects, minus 1",
    "count_error_low": "lower end of its 95 % interval, by the Poisson law of the detections",
    "count_error_high": "upper end of that interval",
    "found_per_px2": "detections per labelled area, frames added up, per square pixel",
    "true_per_px2": "objects per labelled area, per square pixel",
    "size_error": "mean over matched pairs of the equivalent diameter found over the true one, minus 1",
    "size_spread": "standard deviation of that over the pairs",
    "score": "how sure a detection is, in the units of its method; larger is surer",
    "axes": "axes of the stored array in order: yx, zyx for a volume, tyx for frames",
    "height_px": "height of the image after bars were cut off, in pixels",
    "width_px": "width of the image, in pixels",
    "depth_px": "number of slices of a volume",
    "frames": "number of frames of a video or series",
    "format": "format of the file, from its content",
    "formula": "reduced formula of the crystal, elements in the order of the alphabet",
    "atoms": "number of atoms in the stored cell of the crystal",
    "elements": "number of different elements",
    "volume_a3": "volume of that cell, in cubic angstrom",
    "volume_a3_per_atom": "volume of that cell over its atoms, in cubic angstrom",
    "prototype": "prototype that the crystal was built from",
    "edges": "number of edges of the graph; each image of an atom is a neighbour of its own",
    "mean_neighbours": "edges per atom",
    "least_neighbours": "edges of the atom that has the fewest",
    "nearest_a": "length of the shortest edge, in angstrom",
    "farthest_a": "length of the longest edge, in angstrom",
    "instrument": "microscope, as the file names it",
    "detector": "detector or camera, as the file names it",
    "beam_energy_kev": "energy of the beam that the file states, in keV",
    "magnification": "magnification that the file states",
    "ebsd_phases": "phases of an EBSD map: number, name and Laue group",
    "grid": "grid of the points of an EBSD map, and what was done to make pixels of it",
    "step_x_um": "distance of the points of an EBSD map along x, in micrometres",
    "step_y_um": "distance of the points of an EBSD map along y, in micrometres",
    "points_not_indexed": "points of an EBSD map without an orientation, those that were not exported among them",
    POINTS_LEFT_OUT: "points of an EBSD map that the export left out",
    IGNORED: "pixels that are not measured: drawn on the image, excluded, not a number, or not exported",
    REMARK: "remarks on the item or the row that change what its numbers mean; empty without one",
    "quality_map": "quantity of an EBSD map that stands in its pixels",
    "pixel_size_source": "where the pixel size comes from",
    "other_signals": "number of further images in the file, which were not read",
    COLOUR: "red, green and blue of an image, kept beside its grey pixels",
    BAR_ROWS: "rows of information bars that were cut off the image",
    BAR_TOP_ROWS: "those of them that were at its top",
    BAR_COLUMNS: "columns of information bars at its left and right, which are not measured",
    TRUTH_PHASES: "number of phases in its ground truth",
    TAIL: "rows (slices, frames) at the end that have one value: the file may not have been copied whole",
    EXCLUDE_FILE: "file of the mask whose pixels other than 0 are not measured",
    CLEAN_FILE: "file of the same image without noise",
    CLEAN: "the same image without noise, kept beside its pixels",
    SCALE_BAR: "length of a scale bar burnt into the image, in pixels",
    SCALE_BAR_BOX: "box of that scale bar: x, y of its corner, width, height, in pixels",
    TRUTH_SHIFT_Y: "rows by which the truth was moved down, to where the edges of the image are",
    TRUTH_SHIFT_X: "columns by which the truth was moved to the right",
    STRAY_TRUTH: "pixels of the mask that were no phase and took the nearest one",
    AREA: "area, in pixels",
    AREA_FRACTION: "part of the image area covered by the phase, 0 to 1",
    "area_fraction_error": "standard error of the area fraction, from the scatter between fields of the image",
    "area_fraction_low": "lower end of the 95 % interval of the area fraction",
    "area_fraction_high": "upper end of the 95 % interval of the area fraction",
    "iou": "intersection over union with the truth; empty where neither has the phase",
    "dice": "twice the intersection over the sum of both areas; empty where neither has the phase",
    "precision": "part of what was labelled that is right",
    "recall": "part of what is there that was labelled",
    "area_fraction_labels": "part of the judged pixels that the labels give to the phase, 0 to 1",
    "area_fraction_truth": "part of the judged pixels that the truth gives to the phase, 0 to 1",
    "intersection_pixels": "number of pixels that have the phase in the labels and in the truth",
    "union_pixels": "number of pixels that have the phase in the labels or in the truth",
    "pixel_accuracy": "part of the judged pixels whose phase is right",
    "instances_labels": "number of regions in the labels",
    "instances_truth": "number of regions in the truth",
    "instances_matched": "number of regions matched with the truth at an IoU above 0.5",
    "instance_precision": "matched regions over those in the labels",
    "instance_recall": "matched regions over those in the truth",
    "instance_f1": "twice the matched regions over the sum of those in the labels and in the truth",
    "matched_iou": "mean IoU of the matched regions",
    "panoptic_quality": "instance F1 times the mean IoU of the matched regions",
    "engine": "code or model that judged the candidate",
    "pending": "candidates asked so far whose results are not back",
    "status": "accepted, rejected (an answer that does not hold or is not wanted), failed (no answer), pending",
    "quantity": "what was computed; empty where nothing was",
    VALUE: "what was computed, in the unit of its row or its measure",
    "unit": "unit of the value",
    "predicted": "what was expected before it was computed, in the same unit; empty where nothing was",
    "checksum": "SHA-256 of the physics of the inputs",
    "wall_s": "time on the clock, in seconds",
    "cpu_s": "time on processors, in seconds",
    "rank": "place in the order, counted from 1",
    "uncertainty": "how unsure the model is, 0 to 1",
    ITEM_SEED: "seed of a modelled item, derived from that of the study and the item's number",
    TRUE_FRACTION: "model: part of the image (of the volume in 3-D) that the second phase covers, counted in the truth",
    TRUE_MODEL_FRACTION: "model: fraction of the second phase that the model was asked for",
    TRUE_REGIONS: "model: number of bodies or grains in the truth",
    TRUE_RADIUS: "model: mean radius of the bodies (in 3-D where the image is a section), in pixels",
    "true_mean_radius_um": "model: mean radius of the bodies, in micrometres",
    TRUE_SECTION_RADIUS: "model: mean radius of the circles as large as the sections of the bodies, in pixels",
    "true_rate_um3_per_h": "model: K of r^3 = r0^3 + K t, in cubic micrometres per hour",
    "true_exponent": "model: exponent n of the coarsening law r^n = r0^n + K t",
    "true_mean_diameter_px": "model: mean diameter of the circles (spheres) as large as the grains, in pixels",
    "true_energy": "model: free energy per pixel of a spinodal field, in units of its double well",
    "true_domain_size_px": "model: first zero of the autocorrelation of a spinodal field, in pixels",
    "model_time": "model: time of the phase-field simulation, in its own units",
    "grains": "model: number of grains asked for",
    "region_a": "number of the first region of a pair or junction",
    "region_b": "number of the second region",
    "region_c": "number of the third region",
    "boundary_length_px": "length of the boundary between two regions (Crofton, 4 directions), in pixels",
    "boundary_area_px2": "area of the boundary between two regions of a volume (Crofton, 13 directions), in pixels",
    "equivalent_diameter_px": "diameter of the circle (sphere) of equal area (volume), in pixels",
    "major_axis_px": "major axis of the ellipse with equal second moments, in pixels",
    "minor_axis_px": "minor axis of that ellipse, in pixels",
    "orientation_deg": "angle of the major axis to x, counter-clockwise as seen, 0 to 180 degrees",
    "eccentricity": "eccentricity of that ellipse, 0 (circle) to 1",
    "aspect_ratio": "major over minor axis; empty for a line of pixels",
    "perimeter_px": "perimeter (Crofton, 4 directions), the image edge included, in pixels",
    "circularity": "4 pi area / perimeter^2: 1 for a circle; regions of a few pixels may exceed it",
    "convex_area_px2": "area of the convex hull around the pixel corners, in pixels",
    "solidity": "area over convex area, 0 to 1",
    "feret_max_px": "largest distance between parallel tangents (Feret diameter), in pixels",
    "feret_min_px": "smallest distance between parallel tangents, in pixels",
    "centroid_z_px": "centroid, slices from the first, in pixels",
    "centroid_y_px": "centroid, rows from the top, in pixels",
    "centroid_x_px": "centroid, columns from the left, in pixels",
    "bbox_z_min_px": "bounding box along z: first pixel",
    "bbox_z_max_px": "bounding box along z: one beyond the last pixel",
    "bbox_y_min_px": "bounding box along y: first pixel",
    "bbox_y_max_px": "bounding box along y: one beyond the last pixel",
    "bbox_x_min_px": "bounding box along x: first pixel",
    "bbox_x_max_px": "bounding box along x: one beyond the last pixel",
    "touches_border": "whether the region touches the edge of the image",
    "neighbours": "number of regions that share a boundary with it",
    "volume_px3": "volume, in voxels",
    "surface_area_px2": "surface (Crofton, 13 directions), the edge of the volume included, in pixels",
    "sphericity": "surface of the sphere of equal volume over the surface, 1 for a sphere",
    "complete": "whether only other regions lie around the region, so that its polygon is known",
    "sides": "number of junctions around the region; empty if not complete",
    "polygon_area_px2": "area of the polygon through the junctions, in pixels",
    "polygon_perimeter_px": "perimeter of that polygon, in pixels",
    "polygon_area_ratio": "area of the polygon over that of the region",
    "side_mean_px": "mean side of the polygon, in pixels",
    "angle_mean_deg": "mean interior angle of the polygon, 180 (n - 2) / n degrees",
    "angle_std_deg": "standard deviation of the interior angles, in degrees",
    "angle_min_deg": "smallest interior angle, in degrees",
    "angle_max_deg": "largest interior angle, in degrees",
    "y_px": "row of the point from the top, in pixels",
    "x_px": "column of the point from the left, in pixels",
    "angle_a_deg": "angle of region a at the triple point, in degrees",
    "angle_b_deg": "angle of region b, in degrees",
    "angle_c_deg": "angle of region c, in degrees",
    "regions": "number of regions",
    "regions_counted": "number of regions behind the statistics",
    "number_density_per_px2": "number of regions per area, corrected for the border, per square pixel",
    "number_density_per_px3": "number of regions per volume, corrected for the border, per voxel",
    "mean_diameter_px": "mean equivalent diameter, in pixels",
    "std_diameter_px": "standard deviation of the equivalent diameters, in pixels",
    "median_diameter_px": "median equivalent diameter, in pixels",
    "area_weighted_mean_diameter_px": "mean equivalent diameter weighted by area, in pixels",
    "area_weighted_median_diameter_px": "median equivalent diameter weighted by area, in pixels",
    "volume_weighted_mean_diameter_px": "mean equivalent diameter weighted by volume, in pixels",
    "volume_weighted_median_diameter_px": "median equivalent diameter weighted by volume, in pixels",
    "lognormal_median_px": "median exp(mu) of the log-normal fit to the diameters, in pixels",
    "lognormal_sigma": "sigma of that fit, of the natural logarithm",
    "lognormal_ks": "Kolmogorov-Smirnov distance between that fit and the data",
    "nearest_neighbour_px": "mean distance between centroids of nearest regions, corrected for the border, in pixels",
    "clark_evans": "that distance over the one of points at random: below 1 clustered, above 1 regular",
    "sphere_mean_diameter_px": "mean diameter of the spheres behind the sections (Saltykov), in pixels",
    "sphere_density_per_px3": "number of these spheres per volume, per cubic pixel",
    "class": "number of the diameter class, counted from 1",
    "diameter_from_px": "lower edge of the diameter class, in pixels",
    "diameter_to_px": "upper edge of the class, the diameter of its spheres, in pixels",
    "sections_per_px2": "sections of the class per area, per square pixel",
    "spheres_per_px3": "spheres of the class per volume, 0 where they are not significant, per cubic pixel",
    "spheres_low_per_px3": "lower end of its 95 % interval, per cubic pixel",
    "spheres_high_per_px3": "upper end of its 95 % interval, per cubic pixel",
    "spheres_saltykov_per_px3": "the same by Saltykov's coefficients, negative where noise is, per cubic pixel",
    "sphere_mean_diameter_low_px": "lower end of the 95 % interval of the mean diameter of the spheres, in pixels",
    "sphere_mean_diameter_high_px": "upper end of that interval, in pixels",
    "fullman_diameter_px": "mean diameter of the spheres by the harmonic mean of the sections (Fullman), in pixels",
    "procedure": "procedure of ASTM E112: lines, circles or planimetric",
    "direction_deg": "direction of the test lines, counter-clockwise from x, in degrees; empty for all",
    "fields": "number of test lines (lines) or of fields (circles, planimetric)",
    "blocks": "blocks of the image whose scatter makes the interval, each several grains wide",
    "grains_per_field": "mean number of grains a field; ASTM E112 asks for at least 50",
    "counted": "intersections (lines, circles) or grains (planimetric) counted",
    "test_length_px": "length of the test lines, in pixels",
    "test_area_px2": "area of the fields, in pixels",
    "mean_lineal_intercept_px": "test length over intersections, in pixels",
    "mean_lineal_intercept_ci95_px": "half width of its 95 % interval, in pixels",
    "grains_per_px2": "grains per area, per square pixel",
    "grains_ci95_per_px2": "half width of its 95 % interval, per square pixel",
    "relative_accuracy_percent": "half width of the 95 % interval over the value, in percent",
    "g_number": "ASTM grain size number G",
    "g_number_low": "G at the coarse end of the 95 % interval",
    "g_number_high": "G at the fine end of the 95 % interval",
    "series": "value of the column that separates series; empty for one series",
    "times": "number of times in the series",
    "mean_radius_px": "mean radius, in pixels",
    "mean_radius_um": "mean radius, in micrometres",
    "mean_radius_error_px": "standard error of the mean radius, in pixels",
    "mean_radius_error_um": "standard error of the mean radius, in micrometres",
    "exponent": "exponent n of r^n - r0^n = K t",
    "exponent_low": "lower end of its 95 % interval",
    "exponent_high": "upper end of its 95 % interval",
    "initial_radius_px": "r0 of r^3 - r0^3 = K t, in pixels",
    "initial_radius_um": "r0 of r^3 - r0^3 = K t, in micrometres",
    "rate_px3_per_h": "K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_low_px3_per_h": "lower end of K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_high_px3_per_h": "upper end of K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_um3_per_h": "K of r^3 - r0^3 = K t, in cubic micrometres per hour",
    "rate_low_um3_per_h": "lower end of K of r^3 - r0^3 = K t, in cubic micrometres per hour",
    "rate_high_um3_per_h": "upper end of K of r^3 - r0^3 = K t, in cubic micrometres per hour",
    "direction": "axis of the measurement: x, y, z, or radial for all directions pooled",
    "lag_px": "distance between two points, in pixels",
    "two_point_probability": "two-point correlation S2: probability that both ends of the lag lie in the phase",
    "lineal_path_probability": "lineal path L: probability that the whole segment of the lag lies in the phase",
    "two_point_cluster_probability": "cluster function C2: probability that both ends lie in the same cluster",
    "chords": "number of chords (straight stretches of the phase) that no border cuts",
    "chords_cut": "number of chords cut by the border of the image or by pixels that are not labelled",
    "chord_mean_px": "mean length of the chords that the border does not cut, in pixels",
    "chord_std_px": "standard deviation of the length of those chords, in pixels",
    "chord_length_px": "length of the chords that are counted, in pixels",
    "chord_probability": "part of the chords of this direction that have this length",
    "mean_intercept_px": "length of the phase along the lines over its chords (cut ones count half), in pixels",
    "specific_surface_per_px": "boundary of the phase with others per labelled area or volume (Crofton), per pixel",
    "specific_surface_s2_per_px": "the same from the slope of S2 at lag 0 along the axes, if isotropic, per pixel",
    "surface_anisotropy": "largest relative difference of the crossings along a direction from their mean; 0 isotropic",
    "triple_line_density_per_px2": "length of voxel edges where three phases meet, per volume; empty in 2-D",
    "triple_line_smooth_per_px2": "length of the smooth lines behind those edges, per volume, if isotropic",
    "clusters": "number of connected clusters of the phase",
    "spanning_clusters": "number of clusters that reach from face to face of the labelled window along the direction",
    "connected_fraction": "part of the phase that lies in spanning clusters, 0 to 1",
    "phase_fraction": "fraction of the phase in the labelled window, 0 to 1",
    "effective_diffusivity": "D_eff / D0 of steady diffusion through the phase, 0 if it does not span",
    "tortuosity_factor": "diffusive tortuosity: fraction over D_eff / D0; empty if the phase does not span",
    "tortuosity": "geometric tortuosity: mean shortest way through the phase over the straight distance",
    "tortuosity_min": "geometric: shortest way through the phase, over the straight distance",
    "reached_fraction": "part of the phase in the last plane that can be reached from the first",
    "field": "field that is judged: that of the method, or of a control",
    "measure": "what is measured of it; errors are relative to the field of the method, residuals to its mean",
    "control": "whether the field is that of a control",
    "row": "first component of an effective value: xx of C_xxyy, x of k_xy; or bulk, shear",
    "column": "second component of an effective value",
    "reuss": "lower bound by the fractions of the phases alone (Reuss)",
    "voigt": "upper bound by the fractions of the phases alone (Voigt)",
    "hashin_shtrikman_low": "lower bound of Hashin and Shtrikman, of an isotropic body; empty where there is none",
    "hashin_shtrikman_high": "upper bound of Hashin and Shtrikman, of an isotropic body; empty where there is none",
    "mean": "mean over the item, in the unit",
    "percentile_99": "99th percentile over the item, in the unit",
    "maximum": "largest value of the item, in the unit",
    "z_px": "slice of the point, in pixels (the width of one, along x)",
    "database": "thermodynamic database",
    "T_K": "temperature, K",
    "P_Pa": "pressure, Pa",
    "temperature_k": "temperature, K",
    "structure": "structure of a phase, whatever its database calls it: fcc_a1 is gamma, l1_2 gamma prime",
    "set_index": "number of the set of composition, for a phase that is stable in several",
    "ordered": "whether the sublattices of the phase differ",
    "np_mole": "part of all atoms that is in the phase, 0 to 1; no fraction of volume",
    "volume_fraction": "part of the volume that is the phase, 0 to 1; empty where molar volumes are not known",
    "gm": "Gibbs energy of what is stable, J per mole of atoms",
    "solver": "program that solved the equilibrium",
    "version": "version of that program",
    "db_sha": "SHA-256 of the database",
    "measured": "fraction of the phase that segmentation measured",
    "measured_error": "standard error of that",
    "measured_low": "lower end of its 95 % interval",
    "measured_high": "upper end of its 95 % interval",
    "calphad": "fraction of the phase at equilibrium",
    "basis": "what that fraction counts: volume, or atoms where molar volumes are not known",
    "calphad_spread": "half the range of that over the databases; empty with one",
    "agrees": "whether the fraction at equilibrium lies in the measured interval, widened by that spread",
    "tie": "number of a tie line or triangle",
    "phases": "number of phases in equilibrium",
}

_LENGTH = re.compile(r"^(?P<stem>.+?)_(?P<per>per_)?px(?P<power>[23]?)$")


def calibrate(frame, pixel_size_um: float | None):
    """Add to a table the micrometre column of every pixel column; empty where the pixel size is unknown.

    Parameters: `frame`, a DataFrame with columns named `..._px`, `..._px2`, `..._px3` or `..._per_px...`;
    `pixel_size_um`, the width of a pixel along x in micrometres, or None. Lengths along y and z are in that unit.
    """
    size = float("nan") if pixel_size_um is None else float(pixel_size_um)
    added = {}
    for name in frame.columns:
        if match := _LENGTH.match(name):
            power = int(match["power"] or 1) * (-1 if match["per"] else 1)
            added[f"{match['stem']}_{match['per'] or ''}um{match['power']}"] = frame[name].astype(float) * size**power
    return frame.assign(**added)


def pooled(frame, micrometres: str, pixels: str):
    """Choose the rows whose lengths may be put together; return them, the column that holds these, and a note.

    Where items have a scale, they are those items, in micrometres; the note says "2 of 3 images" where some have none,
    and is empty otherwise. Without any scale they are all rows, in pixels.
    """
    if micrometres not in frame or not frame[micrometres].notna().any():
        return frame, pixels, ""
    kept = frame[frame[micrometres].notna()]
    if ITEM not in frame or len(kept) == len(frame):
        return kept, micrometres, ""
    # a length may be empty where there is nothing to measure: what counts is that the pixels have one
    measured = frame[micrometres].notna() | (frame[pixels].notna() if pixels in frame else False)
    known, every = kept[ITEM].nunique(), frame[ITEM][measured].nunique()
    return kept, micrometres, f"{known:,} of {every:,} images" if known < every else ""
