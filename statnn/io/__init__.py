"""Networks and results to files, and back; networks of other libraries.

`load_network` reads npz, safetensors and ONNX files, torch and scikit-learn objects; `save_network` writes npz and
safetensors. Files are data, never programs: nothing in them is executed, no pickle is opened, and sizes are checked
against the file and against memory before anything is allocated. Batch normalisation keeps its running statistics.

`save` and `load` do the same for every result of this package; `table` makes rows of them, for pandas, JSON or CSV;
`describe` says where a file of this package comes from, as ``python -m statnn describe PATH`` does.

Activity that was recorded elsewhere, of whatever architecture, needs no network: the functions of `statnn.measure` and
`statnn.activation` take arrays of shape (samples, units), for example ``numpy.load("layer3.npy")`` or what a forward
hook of torch has gathered. Only measures that propagate inputs or change weights (basins, linear substitution) need
one.
"""

from statnn.io._describe import describe
from statnn.io._load import load_network
from statnn.io._results import load, save
from statnn.io._save import save_network
from statnn.io._table import table

__all__ = ["describe", "load", "load_network", "save", "save_network", "table"]
