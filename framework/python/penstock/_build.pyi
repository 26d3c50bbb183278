"""Written by tools/wheel."""

VERSION: str
TORCH_VERSION: str
OPENVINO_VERSION: str
"""The plugin for it is in this wheel; "" where it is not."""
OPENVINO_LIBRARY: str
