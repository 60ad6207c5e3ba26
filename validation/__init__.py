"""Claims of the theory held against simulation and real networks; run by ``python -m validation``."""
