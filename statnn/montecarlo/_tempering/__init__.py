"""Parallel tempering: replicas at many temperatures, and the ladder they climb."""
