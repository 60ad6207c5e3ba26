"""From counts to laws: fits, their tests, comparisons, rarefaction."""
