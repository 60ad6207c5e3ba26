"""Multi-spin coding: 64 spins in a machine word, of 64 replicas or of 64 strips of one lattice."""
