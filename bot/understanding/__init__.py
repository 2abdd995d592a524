"""Turns a sentence into a typed command line. It knows the commands' signatures and the company's names, and never
writes.
"""
