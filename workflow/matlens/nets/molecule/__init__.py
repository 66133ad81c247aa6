"""Networks for molecules."""
