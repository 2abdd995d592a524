"""Adapter for ERPNext 14 and later, through the REST interface of its framework, Frappe."""
