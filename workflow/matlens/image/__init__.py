"""Models of image formation that more than one stage needs: clean images to micrographs."""
