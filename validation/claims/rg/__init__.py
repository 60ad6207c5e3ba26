"""Claims on renormalisation and on wide random layers."""
