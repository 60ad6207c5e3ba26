"""Multi-spin coding: a machine word holds 64 spins, from 64 replicas or from the strips of a lattice."""
