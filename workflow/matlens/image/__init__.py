"""Models of image formation, and spatial statistics of label images, shared by stages."""
