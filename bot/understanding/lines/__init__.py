"""From what was found in a sentence to the command lines that it may ask for.

`composer` makes them, by what a sentence names: `documents`, `products`, or, without any of them, `lists`. Each line
takes its names from `spoken_names`. `weighing` says how much the words speak for each command.

The other modules tell what goes into a line: which list it names (`named_lists`), on which side of the business
(`trade_finding`), how many (`quantities`), and what is late (`lateness`).
"""
