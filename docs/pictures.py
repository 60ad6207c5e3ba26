"""Draw the pictures of the README: ``python docs/pictures.py`` writes docs/growth.svg and others anew."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from statnn import Network, plot, rg
from statnn.activation import BetaBernoulli, checkpoints
from statnn.interaction import BinaryNeurons, DynamicNeurons

HERE = Path(__file__).parent


def growth(axes):
    """Growth of working neurons: law and simulation; and the silent share on its way to a power law."""
    process = BetaBernoulli(neurons=1000, b=0.3, c=5.0)
    left, right = axes
    process.plot(left, D=np.geomspace(1, 1e5, 200), label="exact law")
    at = checkpoints(10**5, 12)
    paths = process.simulate(at, replicas=200, rng=1).working
    left.errorbar(at, paths.mean(axis=0), paths.std(axis=0), fmt="o", color=plot.COLOURS[1], label="simulation")
    left.legend(loc="upper left")
    samples = np.geomspace(1, 1e8, 100)
    right.loglog(samples, process.noise_to_signal(samples), label="silent share, slope $-b$")
    right.loglog(samples, process.missing_mass(samples), "--", label="missing mass, slope $-b-1$")
    right.set(xlabel="samples $D$")
    right.legend()


def graph(axes):
    """One small network: spins on layers, and neurons with every term of the energy as a node."""
    net = Network.random([4, 5, 5, 2], activation="tanh", sigma_w=1.2, sigma_b=0.3, rng=0)
    BinaryNeurons.from_network(net).plot(axes[0])
    small = Network.random([3, 4, 2], activation="tanh", sigma_b=0.3, rng=0)
    model = DynamicNeurons(small, np.eye(3), np.eye(3, 2), free=("neurons", "weights", "biases"))
    model.plot(axes[1], parameters=True)


def phase_diagram(axes):
    """Phase diagram of wide tanh layers; correlation through depth on both sides of the edge of chaos."""
    rg.phase_diagram("tanh", np.linspace(0.5, 3.0, 51), np.linspace(0.0, 1.0, 21)).plot(axes[0])
    for sigma_w, colour in ((1.2, plot.COLOURS[0]), (2.0, plot.COLOURS[1])):
        net = Network.random([300] * 31, activation="tanh", sigma_w=sigma_w, sigma_b=0.3, rng=0)
        inputs = np.random.default_rng(1).normal(size=(60, 300))
        rg.place(net, inputs).plot_signals(axes[1], colour=colour, label=rf"$\sigma_w = {sigma_w:g}$, a network of 300")
    axes[1].legend(fontsize="small")


def main():
    """Write all pictures."""
    for draw in (growth, graph, phase_diagram):
        with plot.style():
            figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
            draw(axes)
            with tempfile.TemporaryDirectory() as folder:
                plot.save(figure, Path(folder, "picture"), drawn=[0])
                name = draw.__name__.replace("_", "-")
                (HERE / f"{name}.svg").write_bytes(Path(folder, "picture.svg").read_bytes())


if __name__ == "__main__":
    main()
