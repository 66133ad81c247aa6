"""Networks: classes with keyword-only constructors, by name; they import only torch, so that they train on any GPU
image.

A network for pixels takes (batch, channels, [z,] y, x) of any size and returns logits of that size with one channel per
phase. In training mode with deep supervision it returns a list of them, the best first. It says of itself `stride` (the
number of pixels by which its answer is equivariant to shifts) and `radius` (how far, in pixels, an answer looks).
"""

NETS = {
    "fcn": "matlens.nets.fcn:FCN",
    "unet": "matlens.nets.unet:UNet",
    "unetpp": "matlens.nets.unetpp:UNetPlusPlus",
    "unet3p": "matlens.nets.unet3p:UNet3Plus",
}
