"""Gated graph network: the convolution of ALIGNN on atoms and bonds, without its line graph.

The convolution is that of X. Bresson, T. Laurent, arXiv:1711.07553, as K. Choudhary, B. DeCost, npj Comput. Mater. 7
(2021) 185 use it.
"""

from matlens.nets.crystal import alignn


class Gated(alignn.ALIGNN):
    """Predict a property of crystals by edge-gated convolutions that update atoms and bonds; no angles are built.

    Options: `width` of the vectors of atoms and bonds, number of `layers`, width of the `embedding` of distances.
    """

    def __init__(self, *, width: int = 96, layers: int = 5, embedding: int = 64):
        super().__init__(width=width, alignn_layers=0, gcn_layers=layers, embedding=embedding)
