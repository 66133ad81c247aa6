"""Networks for images: one file per published network."""
