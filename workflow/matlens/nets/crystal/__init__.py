"""Networks for crystals: one file per published network."""
