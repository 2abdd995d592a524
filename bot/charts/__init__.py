"""Charts as pictures: laid out as SVG for the width of a phone, and converted to PNG by a separate process.

The package knows neither cards nor documents: it takes words and exact numbers, and returns a picture.
"""
