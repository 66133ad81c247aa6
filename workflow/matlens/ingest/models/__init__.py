"""Models of microstructure: items of known truth, made from a seed, and the microscope that takes their images."""
