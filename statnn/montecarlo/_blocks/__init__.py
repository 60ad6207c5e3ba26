"""Heat bath of whole layers on BLAS: many replicas, or one chain with cached fields."""
