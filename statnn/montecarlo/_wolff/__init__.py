"""Wolff's clusters for ferromagnets."""
