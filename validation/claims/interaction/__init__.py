"""Claims on interaction graphs and their Monte Carlo."""
