"""Check derivations and print them as LaTeX: ``python -m statnn.theory [NAME ...]``; exit status 1 on failure."""

import argparse
import sys
from collections import Counter

from statnn.theory.registry import DERIVATIONS


def main(arguments: list[str]) -> int:
    """Check and print the derivations that are named, or all of them when there are none."""
    parser = argparse.ArgumentParser(
        "python -m statnn.theory", description="Check derivations and print them as LaTeX."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(DERIVATIONS)} (default: all)")
    names = parser.parse_args(arguments).names
    unknown = [name for name in names if name not in DERIVATIONS]
    if unknown:
        sys.stderr.write(f"unknown derivation {', '.join(unknown)}; choose from {', '.join(DERIVATIONS)}\n")
        return 1
    status = 0
    kinds: Counter[str] = Counter()
    for name in names or DERIVATIONS:
        derivation = DERIVATIONS[name]()
        try:
            derivation.check()
        except AssertionError as failure:
            sys.stderr.write(f"{failure}\n")
            status = 1
        kinds.update(derivation.kinds())
        sys.stdout.write(derivation.latex() + "\n\n")
    sys.stdout.write(f"In all: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
