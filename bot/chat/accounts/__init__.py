"""People's accounts in the ERPs: requested, found, bound, and used with their own key."""
