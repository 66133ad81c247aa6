"""matlens: from micrographs and crystal structures to validated property predictions and figures."""

__version__ = "0.1.0"
