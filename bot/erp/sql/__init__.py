"""Any company database, point to point: queries mapped in the configuration, never a write."""
