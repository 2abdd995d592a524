"""Fake servers of vendors, each holding the reference company.

`tests.erp.fakes.plain` is the one to read first.
"""
