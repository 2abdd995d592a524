"""Fake servers of vendors, each holding the reference company.

`bot.testing.plain_erp_server` is the one to read first.
"""
