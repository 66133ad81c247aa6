"""Networks that make images from noise and conditions."""
