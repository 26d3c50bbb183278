"""Written by tools/wheel."""

VERSION: str
TORCH_VERSION: str
