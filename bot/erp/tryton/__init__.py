"""Tryton 8 over JSON-RPC."""
