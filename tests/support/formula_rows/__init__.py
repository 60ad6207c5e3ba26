"""What of `statnn` computes each formula: rows of one table, room by room."""

from formula_rows.activation import ACTIVATION
from formula_rows.interaction import INTERACTION, INTERACTION_SAMPLED
from formula_rows.measure import MEASURE, MEASURE_SAMPLED

ROWS = {**ACTIVATION, **INTERACTION, **MEASURE}
SAMPLED = {**INTERACTION_SAMPLED, **MEASURE_SAMPLED}
