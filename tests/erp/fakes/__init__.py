"""Fake servers of vendors that contain the reference company.

Start with `tests.erp.fakes.plain`.
"""
