"""Methods for neurons that are real numbers: Hamiltonian Monte Carlo, Gibbs steps of parameters, forward simulation."""
