"""What stands in a sentence: numbers, names, warehouses, sizes, quantities, days and known words of one company.

`recognition` looks for all of it in order, by the means of `finding`, and notes it as `spans`. What people say or
write in another way is put right before: `spoken_numbers`, `sizes`, `homophones`, `misspellings`. What is left over
at the end may be a name: `leftovers`.
"""
