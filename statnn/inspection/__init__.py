"""One page of numbers and figures for a network of your own: ``python -m statnn inspect NETWORK --data FILE``.

`inspect` is the same as a Python call. It applies the other packages to a network and its data: shapes and scales of
its layers, activation rates and the fit of the activation laws, spike statistics beside their nulls, rank-probability
slopes and accuracy through the linear map, basins, node strength, and the place of its layers on the mean-field phase
diagram. If a question does not apply to this network, the page says why.
"""

from statnn.inspection._comparison import Comparison
from statnn.inspection._data import Data, read_data
from statnn.inspection._inspect import QUESTIONS, inspect
from statnn.inspection._page import Inspection
from statnn.inspection._section import Measured, Section, Table

__all__ = ["QUESTIONS", "Comparison", "Data", "Inspection", "Measured", "Section", "Table", "inspect", "read_data"]
