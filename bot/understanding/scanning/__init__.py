"""The parts of a sentence: numbers, names, warehouses, sizes, quantities, days and known words of one company.

`recognition` finds them in order, with the functions of `finding`, and records them as `spans`. Spoken or unusual forms
are normalised first: `spoken_numbers`, `sizes`, `misspellings`. Anything left over may be a name: `leftovers`.
"""
