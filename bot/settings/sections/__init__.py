"""The sections of the settings, each documenting its entries; the reference page is generated from these
descriptions.
"""
