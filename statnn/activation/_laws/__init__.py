"""Exact laws on whole numbers of any size: counts, working neurons, losses, with all their digits."""
