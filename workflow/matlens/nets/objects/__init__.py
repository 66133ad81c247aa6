"""Networks that find objects: boxes and masks."""
