"""Print the table of ratios: ``python -m validation.benchmarks [--quick]``."""

import argparse
import os

# before numpy: one thread each, so that a ratio compares algorithms
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))


def main() -> None:
    """Run all benchmarks and print one row as each is done."""
    from validation.benchmarks.activation import BENCHMARKS

    parser = argparse.ArgumentParser(prog="python -m validation.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    quick = parser.parse_args().quick
    print(f"{'work (target)':72} {'statnn':>20}  {'peer':48} ratio peer/statnn")
    for benchmark in BENCHMARKS:
        for work, ours, peer, ratio in benchmark(quick=quick):
            print(f"{work:72} {ours:>20}  {peer:48} {ratio}", flush=True)


if __name__ == "__main__":
    main()
