"""People's accounts in the ERPs: asked for, found, bound, and used with a key of their own."""
