"""Whether rates, Fano factors and their variances tell random, generalising and memorising networks apart.

Expected before the first run: a random network, the start, differs from both trained ones in every number; in shuffled
order MFF is what the rates alone make it, so that it says nothing that MFR does not; with one class per window MFF is
larger for generalising networks, whose units answer to classes, and this goes beyond the rates; MFR and its variance
differ between generalising and memorising, too, but not in one direction for all architectures and data. So the
paper's indicators hold within a domain. Found: MFF tells the two apart in every set-up, far beyond the rates, but it
is smaller for networks that generalise on the ten classes of digits and larger on the two of breast cancer;
rates and variances do not differ clearly in all of them. None has one direction, and the statement is contradicted on
the two sets together. On MNIST alone MFR and the variance of the factors are larger for networks that generalise,
with one hidden layer and with three, and the statement holds there; six and ten replicas are too few for the level that
all comparisons share.

Generalising and memorising networks share start, images and order of samples; memorising ones have all training labels
permuted. Spikes are those of all hidden units on held-out images, which neither network has seen, threshold 0.
"""

import numpy as np

from statnn.measure import spikes
from statnn.plot import COLOURS
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, above_zero, clearness, standard_error, strongest, weakest
from validation.trained.images import Images
from validation.trained.recipe import Recipe
from validation.trained.training import scrambled

SOURCE = "Lehmler et al. 2023, arXiv 2308.00858, abstract"
INDICATORS = ("MFR", "Var r", "MFF", "Var F", "MFF beyond rates", "MFF shuffled", "MFF shuffled - null", "silent")
DIRECTION = "generalising minus memorising in spreads, least clear set-up of the clearest indicator and direction"
MOVED = "trained minus random networks in spreads, least clear kind and set-up of the clearest indicator"
NAMED = 4
"""Number of indicators of the paper, the first of `INDICATORS`; MFF and Var F with one class per window."""
ORDERS = 4
"""Random orders over which the shuffled factor is averaged."""

RATES = {1: 6e-3, 3: 2e-3}
"""Learning rate by the number of hidden layers: shallow networks learn by heart more slowly."""
SHAPES = {"1 layer": 1, "3 layers": 3}


def _cancer(rng):
    """Scikit-learn's 569 breast cancers of 30 standardised features, 2 classes, split at random into 369 and 200."""
    from sklearn.datasets import load_breast_cancer

    x, labels = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    order = rng.permutation(len(x))
    train, test = order[200:], order[:200]
    return Images(x[train], labels[train], x[test], labels[test])


def _sets(rng, quick, data):
    """Return name, one set of images per replica, width, window and snapshots of every data set."""
    replicas = 6 if quick else 10
    times = (0, 1, 4, 15, 50) if quick else (0, 1, 3, 10, 30, 100, 300)
    if data is not None:
        images, _ = _trained.images_for(rng, 16, 2_000, data)
        return [("MNIST", images, 128, 20, (0, 1, 5, 20) if quick else (0, 1, 5, 20, 50))]
    digits, _ = _trained.images_for(rng, replicas, 500, None)
    return [
        ("digits", digits, 96, 10, times),
        ("breast cancer", [_cancer(child) for child in rng.spawn(replicas)], 96, 10, times),
    ]


def _indicators(net, images, window, seed):
    x, labels = _trained.tested(images)
    hidden = np.concatenate(net.trace(x).activations[1:-1], axis=1)
    blocked = spikes.statistics(hidden, window=window, order="blocked", labels=labels, intervals=False)
    shuffled = [
        spikes.statistics(hidden, window=window, order="shuffled", intervals=False, rng=seed + i) for i in range(ORDERS)
    ]
    return (
        blocked.mean_rate,
        blocked.rate_variance,
        blocked.mean_fano_factor,
        blocked.fano_variance,
        blocked.mean_fano_factor - (1 - blocked.mean_working_rate),
        np.mean([statistics.mean_fano_factor for statistics in shuffled]),
        np.mean([statistics.mean_fano_factor - statistics.mean_null_fano_factor for statistics in shuffled]),
        blocked.silent_units / blocked.units,
    )


def _run(rng, quick, data=None):
    values, accuracy, names, times = [], [], [], ()
    for name, images, width, window, times in _sets(rng, quick, data):
        child = rng.spawn(1)[0]
        seeds = [int(seed) for seed in child.integers(2**63, size=len(images))]
        wrong = [scrambled(own, 1.0, child) for own in images]
        classes = int(images[0].train_labels.max()) + 1
        for shape, layers in SHAPES.items():
            widths = (images[0].train.shape[1], *[width] * layers, classes)
            recipe = Recipe(widths, "relu", learning_rate=RATES[layers], batch=50, snapshots=times)
            trainings = _trained.train_all(recipe, [*images, *wrong], [*seeds, *seeds])
            measured = [
                [_indicators(net, own, window, seed) for net in training.networks]
                for training, own, seed in zip(trainings, [*images, *wrong], [*seeds, *seeds], strict=True)
            ]
            kinds = (2, len(images))
            values.append(np.reshape(measured, (*kinds, len(times), len(INDICATORS))))
            ends = [(training.train_accuracy[-1], training.test_accuracy[-1]) for training in trainings]
            accuracy.append(np.reshape(ends, (*kinds, 2)))
            names.append(f"{name}, {shape}")
    return {"values": values, "accuracy": accuracy, "setups": names, "epochs": times}


# -- statistics --------------------------------------------------------------------------------------------


def _kinds(values, indicator):
    """Return random, generalising and memorising networks at the end, shape (3, replicas)."""
    own = values[..., indicator]
    return np.stack([own[0, :, 0], own[0, :, -1], own[1, :, -1]])


def _effect(generalising, memorising):
    """Return Cohen's d of two samples and its standard error."""
    n, m = len(generalising), len(memorising)
    pooled = np.sqrt(((n - 1) * generalising.var(ddof=1) + (m - 1) * memorising.var(ddof=1)) / (n + m - 2))
    if pooled == 0:
        return 0.0, 0.0
    d = (generalising.mean() - memorising.mean()) / pooled
    return float(d), float(np.sqrt((n + m) / (n * m) + d**2 / (2 * (n + m))))


def _area(generalising, memorising):
    """Return the probability that a network of the first kind has the larger value, and its error (DeLong's)."""
    larger = (generalising[:, None] > memorising).astype(float) + 0.5 * (generalising[:, None] == memorising)
    parts = larger.mean(axis=1).var(ddof=1) / len(generalising) + larger.mean(axis=0).var(ddof=1) / len(memorising)
    return float(larger.mean()), float(np.sqrt(parts))


def _gaps(values, indicator):
    """Return generalising minus memorising of each replica, shape (snapshots, replicas)."""
    return (values[0, :, :, indicator] - values[1, :, :, indicator]).T


def _separates(data, indicator, sign):
    """Compare generalising with memorising, by one indicator in one direction, in the set-up where it is least clear.

    Gaps are in units of their spread at the end; snapshots of the second half of training count where they contradict.
    """
    comparisons = []
    for values in data["values"]:
        gaps = sign * _gaps(values, indicator)
        gaps = gaps / (gaps[-1].std(ddof=1) or 1.0)
        comparisons.append(above_zero(gaps[-1]))
        comparisons += [above_zero(late) for late in gaps[len(gaps) // 2 : -1] if late.mean() <= 0]
    return weakest(comparisons)


def _direction(data, indicator):
    """Return the comparison of an indicator in its clearer direction."""
    return max((_separates(data, indicator, sign) for sign in (1, -1)), key=clearness)


def _differs_from_random(data, indicator):
    """Return in how many set-ups both trained kinds differ clearly from the random networks that they began as."""
    share = 2 * NAMED * len(data["values"])
    clear = 0
    for values in data["values"]:
        random, *trained = _kinds(values, indicator)
        clear += all(above_zero(kind - random).p < CLEAR / share for kind in trained)
    return clear


def _moved(data, indicator, sign):
    """Compare both trained kinds with the random networks they began as, in spreads, where it is least clear.

    All must differ, so that the largest p needs no correction for their number.
    """
    gaps = []
    for values in data["values"]:
        random, *trained = _kinds(values, indicator)
        gaps += [sign * (kind - random) for kind in trained]
    return min((above_zero(gap / (gap.std(ddof=1) or 1.0)) for gap in gaps), key=clearness)


def _words(data, indicator):
    effects = []
    for values in data["values"]:
        _, right, wrong = _kinds(values, indicator)
        (d, error), (area, width) = _effect(right, wrong), _area(right, wrong)
        effects.append(f"{d:+.1f} ± {error:.1f} ({area:.2f} ± {width:.2f})")
    return f"{INDICATORS[indicator]}: {', '.join(effects)}"


def _judge(data):
    setups, ends = len(data["values"]), data["accuracy"]
    directions = [_direction(data, i) for i in range(NAMED)]
    residual = np.concatenate([values[:, :, -1, 6].mean(axis=0) for values in data["values"]])
    apart = ", ".join(f"{INDICATORS[i]} in {_differs_from_random(data, i)}" for i in range(NAMED))
    detail = (
        f"generalising minus memorising at the end, Cohen's d (AUC) in {', '.join(data['setups'])}: "
        f"{'; '.join(_words(data, i) for i in (0, 1, 2, 3, 4, 5))}. Both differ from random networks: {apart} of "
        f"{setups} set-ups. Shuffled MFF minus its null, which depends on rates alone: {residual.mean():.4f} ± "
        f"{standard_error(residual):.4f}. Accuracy on training / held-out samples: generalising "
        f"{ends[:, 0, :, 0].mean():.2f} / {ends[:, 0, :, 1].mean():.2f}, memorising {ends[:, 1, :, 0].mean():.2f} / "
        f"{ends[:, 1, :, 1].mean():.2f}"
    )
    clearest_direction = strongest(directions)
    clearest = INDICATORS[max(range(NAMED), key=lambda i: clearness(directions[i]))]
    shown = {"asks": Asks.ABOVE, "level": CLEAR}
    moved = strongest([_moved(data, i, sign) for i in range(NAMED) for sign in (1, -1)])
    return Verdict.judged(
        [
            Finding.of(
                DIRECTION, clearest_direction, sees=0.7, unit="of the way to one direction, or to none", **shown
            ),
            Finding.of(MOVED, moved, sees=15, unit="spreads", **shown),
        ],
        Outcome.DOMAIN,
        f"the clearest is {clearest}; {detail}",
        otherwise=f"no indicator has one direction in all {setups} set-ups",
    )


def _exchanged(data, by):
    """Bring generalising and memorising networks together, by a share of the difference of their means."""
    values = data["values"]
    middle = values.mean(axis=2, keepdims=True)
    return {**data, "values": values - by / 2 * (middle - middle[:, ::-1])}


def _farther(data, by):
    """Move trained networks `by` spreads farther from the random ones they began as."""
    moved = _way(data)
    return _shifted(data, by * moved.std(axis=2, ddof=1, keepdims=True))


def _nearer(data, by):
    """Move trained networks `by` spreads towards the random ones they began as, and no farther than there."""
    moved = _way(data)
    mean, spread = moved.mean(axis=2, keepdims=True), moved.std(axis=2, ddof=1, keepdims=True)
    return _shifted(data, -np.sign(mean) * np.minimum(np.abs(mean), by * spread))


def _way(data):
    """Return the change of the indicators of every network from the random one it began as."""
    return data["values"][:, :, :, -1:] - data["values"][:, :1, :, :1]


def _shifted(data, shift):
    values = np.array(data["values"])
    values[:, :, :, 1:] += shift
    return {**data, "values": values}


def _alike(data, by):
    """Bring all set-ups near the first by a share of their difference, so that they agree in direction."""
    values = data["values"]
    return {**data, "values": values + by * (values[:1] - values)}


PANELS = {
    0: "mean firing rate (MFR)",
    1: "variance of rates over units",
    2: "mean Fano factor (MFF), one class per window",
    3: "variance of Fano factors over units",
    4: "MFF minus ($1 - $ mean rate)",
}


def _draw(data, figure):
    figure.set_size_inches(11, 6.8)
    *panels, last = lettered(figure, 2, 3).flat
    at = np.maximum(data["epochs"], 0.4)
    kinds = len(data["values"])
    for row, (setup, values) in enumerate(zip(data["setups"], data["values"], strict=True)):
        style = {"color": COLOURS[row], "marker": "os^D"[row], "fillstyle": "none"}
        for axes, indicator in zip(panels, PANELS, strict=True):
            gaps = _gaps(values, indicator)
            gaps = gaps / (gaps[-1].std(ddof=1) or 1.0)
            axes.errorbar(
                at, gaps.mean(axis=1), standard_error(gaps, axis=1), linestyle=("-", "--", "-.", ":")[row],
                label=str(setup), **style,
            )  # fmt: skip
        for indicator in range(NAMED):
            random, *trained = _kinds(values, indicator)
            for side, kind in zip((-0.04, 0.04), trained, strict=True):
                moved = (kind - random) / ((kind - random).std(ddof=1) or 1.0)
                x = indicator + 0.18 * (row - (kinds - 1) / 2) + side
                last.errorbar(x, moved.mean(), standard_error(moved), linestyle="none", **style)
    for axes, indicator in zip(panels, PANELS, strict=True):
        axes.axhline(0, color="grey", linestyle=":", linewidth=1)
        axes.set(xscale="log", title=PANELS[indicator], xlabel="epochs (0: random)")
        axes.set_xticks([0.4, 1, 10, 100], ["0", "1", "10", "100"])
        axes.minorticks_off()
    for axes in (panels[0], panels[3]):
        axes.set_ylabel("generalising minus memorising (spreads)")
    last.axhline(0, color="grey", linestyle=":", linewidth=1)
    last.margins(y=0.1)
    last.set(title="trained minus random, at the end", ylabel="spreads", yscale="symlog")
    last.set_xticks(range(NAMED), ["MFR", "var. of\nrates", "MFF", "var. of\nfactors"])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=kinds)


def _claim(name, title, **options):
    return Claim(
        id=name,
        title=title,
        statement=(
            "Mean firing rate, mean Fano factor and their variances over units tell generalising from memorising "
            "networks, and both from random ones, in one direction and through training."
        ),
        source=SOURCE,
        standing="paper",
        caption=(
            "Spikes of hidden units of ReLU networks. (a, b, c, d, e) How far generalising networks are above "
            "memorising ones, paired, during training, in spreads (standard deviations over replicas of the "
            "difference at the end); 0 epochs is the common random start. MFR is the mean firing rate and MFF the "
            "mean Fano factor over units. (f) How far trained networks are from their random start, "
            "generalising to the left of memorising, each in its own spread. Error bars: standard error over 6 "
            "replicas (10 in a full run; 16 on MNIST)."
        ),
        run=_run,
        judge=_judge,
        draw=_draw,
        needs=("torch",),
        derivations=("fano-nulls",),
        **options,
    )


CLAIMS = (
    _claim(
        "memorisation",
        "Spikes of memorising networks: digits and breast cancer",
        expected=Outcome.CONTRADICTED,
        twins={DIRECTION: _alike, MOVED: _farther},
        contradicted=(DIRECTION, MOVED),
        cost=25,
    ),
    _claim(
        "memorisation-mnist",
        "Spikes of memorising networks: MNIST",
        expected=Outcome.DOMAIN,
        twins={DIRECTION: _exchanged, MOVED: _nearer},
        needs_data=True,
        cost=60,
    ),
)
