"""From what was found in a sentence to the command lines that it may ask for.

`composer` makes them. The other modules tell what goes into a line: which list it names (`named_lists`), on which
side of the business (`sides`), how many (`quantities`), whether money moved (`money_moved`), and what is late
(`lateness`).
"""
