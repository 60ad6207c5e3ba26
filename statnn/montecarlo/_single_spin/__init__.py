"""Heat bath and Metropolis, one spin at a time: replicas side by side, or spins of one colour."""
