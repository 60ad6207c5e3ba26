"""Exact averages of small or solvable models: one file for each reason why a model is solvable."""
