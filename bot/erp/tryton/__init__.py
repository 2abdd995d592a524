"""Adapter for Tryton 8 over JSON-RPC."""
