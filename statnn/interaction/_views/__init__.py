"""Models as graphs of networkx, and as pictures."""
