"""Networks that claims train: recipes, engines, data and a cache of trained weights."""
