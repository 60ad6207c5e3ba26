"""Networks from files and from other libraries, and back.

`load_network` reads npz, safetensors and ONNX files, torch and scikit-learn objects; `save_network` writes npz and
safetensors. Files are data, never programs: nothing in them is executed, no pickle is opened, and sizes are checked
against the file and against memory before anything is allocated. Batch normalisation keeps its running statistics.

Activity that was recorded elsewhere, of whatever architecture, needs no network: the functions of `statnn.measure` and
`statnn.activation` take arrays of shape (samples, units), for example ``numpy.load("layer3.npy")`` or what a forward
hook of torch has gathered. Only what propagates inputs or changes weights (basins, linear substitution) needs one.
"""

from statnn.io._load import load_network
from statnn.io._save import save_network

__all__ = ["load_network", "save_network"]
