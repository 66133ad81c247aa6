"""Training shared by all networks: loop, augmentation, tiles, features."""
