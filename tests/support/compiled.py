"""The compiled functions of a module."""


def kernels_of(module):
    """Return the names of functions of this module alone that are compiled and cached on their own."""
    return {
        name
        for name, value in vars(module).items()
        if hasattr(value, "py_func") and value.py_func.__module__ == module.__name__
        and value._cache.__class__.__name__ != "NullCache"
    }  # fmt: skip
