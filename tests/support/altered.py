"""Objects that break a law."""


class Altered:
    """An object of ours with some methods replaced."""

    def __init__(self, of, **methods):
        self.__dict__.update(methods)
        self.of = of

    def __getattr__(self, name):
        if name.startswith("__") or name == "of":
            raise AttributeError(name)
        return getattr(self.of, name)

    def __repr__(self):
        return "Altered()"
