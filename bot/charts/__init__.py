"""Charts as pictures: laid out as SVG for the width of a phone, and turned into PNG by a process of its own.

The room knows neither cards nor documents: it gets words and exact numbers, and gives back a picture.
"""
