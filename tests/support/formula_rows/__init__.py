"""What of `statnn` computes each formula: rows of one table, room by room."""

from formula_rows.activation import ACTIVATION
from formula_rows.interaction import INTERACTION, INTERACTION_SAMPLED
from formula_rows.measure import MEASURE, MEASURE_SAMPLED
from formula_rows.rg import RG

ROWS = {**ACTIVATION, **INTERACTION, **MEASURE, **RG}
SAMPLED = {**INTERACTION_SAMPLED, **MEASURE_SAMPLED}
