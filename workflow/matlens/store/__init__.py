"""Read and write files: tables, arrays, YAML, text, the catalogue of data, downloads, OME-Zarr."""
