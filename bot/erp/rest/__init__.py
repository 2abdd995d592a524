"""Any JSON API, mapped in the configuration; may approve and reject where the API can."""
