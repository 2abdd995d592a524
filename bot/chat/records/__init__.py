"""What commands share to find records: lookups, lists and their totals, each as its reader may see it."""
