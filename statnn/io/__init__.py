"""Networks from files and from other libraries, and back."""

__all__: list[str] = []
