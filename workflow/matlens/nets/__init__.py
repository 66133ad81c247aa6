"""Networks: classes with keyword-only constructors, by name; they import only torch, so that they train on any GPU
image.

A network for pixels takes (batch, channels, [z,] y, x) of any size and returns logits of that size with one channel per
phase. In training mode with deep supervision it returns a list of them, the best first. It says of itself `stride` (the
number of pixels by which its answer is equivariant to shifts) and `radius` (how far, in pixels, an answer looks).

A network for crystals takes a batch as `matlens.crystal.graphs.arrays_of` describes it and returns a number for each.
It makes its own features of elements and distances; `line_graph` says that it needs angles, `site_values`, where it
has that, what it reads from every atom.
"""

NETS = {
    "fcn": "matlens.nets.pixel.fcn:FCN",
    "unet": "matlens.nets.pixel.unet:UNet",
    "unetpp": "matlens.nets.pixel.unetpp:UNetPlusPlus",
    "unet3p": "matlens.nets.pixel.unet3p:UNet3Plus",
    "hed": "matlens.nets.pixel.hed:HED",
    "vit": "matlens.nets.pixel.vit:ViT",
}
# Networks that find objects. In training: (pixels, numbers of the objects of each pixel, 255 unknown) to the loss.
# `maps(pixels)`: a list of feature maps, equivariant to shifts by `stride`, whose cells look `radius` pixels far;
# `find(maps, size, floor, overlap)`: by name `box` (y0, x0, y1, x1), `score` and, where the network has them, `mask` in
# a grid of every box and `kind`, the probability of each. A network with the argument `outputs` can tell so many kinds:
# the remainder of the number of an object over it.
OBJECT_NETS = {
    "centres": "matlens.nets.objects.centres:Centres",
    "windows": "matlens.nets.objects.cascade:Windows",
    "cascade": "matlens.nets.objects.cascade:Cascade",
    "boxes": "matlens.nets.objects.boxes:Boxes",
    "rcnn": "matlens.nets.objects.rcnn:RCNN",
}
# Networks for the fields of periodic cells: as those for pixels, but one head, and the answer is a field.
FIELD_NETS = {
    "unet": "matlens.nets.pixel.cell_unet:CellUNet",
    "fno": "matlens.nets.pixel.fno:FNO",
    "cnn3d": "matlens.nets.pixel.cnn3d:PatchNet",
    "pix2pix": "matlens.nets.pixel.cell_unet:CellUNet",
}
IMAGE_NETS = {  # methods that turn images into images
    "unet_restore": "matlens.nets.pixel.restorer:Restorer",
    "noise2void": "matlens.nets.pixel.restorer:Restorer",
    "refocus": "matlens.nets.pixel.restorer:Refocuser",
    "super_resolution": "matlens.nets.pixel.restorer:Corrector",
    "orientations": "matlens.nets.pixel.restorer:Restorer",
    "translate": "matlens.nets.pixel.translator:Translator",
    "unit": "matlens.nets.pixel.unit:Unit",
}
CRYSTAL_NETS = {
    "cgcnn": "matlens.nets.crystal.cgcnn:CGCNN",
    "icgcnn": "matlens.nets.crystal.icgcnn:ICGCNN",
    "ogcnn": "matlens.nets.crystal.ogcnn:OGCNN",
    "megnet": "matlens.nets.crystal.megnet:MEGNet",
    "gatgnn": "matlens.nets.crystal.gatgnn:GATGNN",
    "deepergatgnn": "matlens.nets.crystal.deepergatgnn:DeeperGATGNN",
    "alignn": "matlens.nets.crystal.alignn:ALIGNN",
    "gated": "matlens.nets.crystal.gated:Gated",
    "gcpnet": "matlens.nets.crystal.gcpnet:GCPNet",
}
# Networks for reactions of molecules: a batch as `matlens.molecule.graphs.batch` makes it to a number for each.
MOLECULE_NETS = {"bondnet": "matlens.nets.molecule.bondnet:BonDNet"}
GENERATORS = {
    "ddpm": "matlens.nets.generate.ddpm:DDPM",
    "cgan": "matlens.nets.generate.cgan:CGAN",
    "vae": "matlens.nets.generate.vae:VAE",
    "slices": "matlens.nets.generate.ddpm:DDPM",
    "automaton": "matlens.nets.generate.automaton:Automaton",
}
# Networks for crystals that say something of every atom: what they read from it alone, or how much attention it gets.
SITES = {
    "cgcnn": "reading",
    "icgcnn": "reading",
    "ogcnn": "reading",
    "gatgnn": "attention",
    "deepergatgnn": "attention",
    "alignn": "reading",
    "gated": "reading",
    "gcpnet": "reading",
}
# The way of connecting whose graphs a network for crystals takes.
GRAPHS = {
    "cgcnn": "knn",
    "icgcnn": "voronoi",
    "ogcnn": "voronoi",
    "megnet": "radius",
    "gatgnn": "knn",
    "deepergatgnn": "knn",
    "alignn": "knn",
    "gated": "knn",
    "gcpnet": "knn",
}
