"""From what was found in a sentence to the command lines that it may ask for.

`composer` makes them, by what a sentence names: `documents`, `products`, or, without any of them, `lists`. Each line
takes its names from `spoken_names`. `weighing` says how much the words speak for each command.

The other modules tell what goes into a line: which list it names (`named_lists`), on which side of the business
(`trade_finding`), which documents of a product (`product_documents`), how many (`quantities`), whether money moved
(`money_moved`), and what is late (`lateness`).
"""
