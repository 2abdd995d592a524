"""What sources share whose records are mapped in the configuration: where each field comes from, and how it is read.

`schema` says which fields there are, `sources` where each comes from, `areas` how sections are called. `reader` takes
a row apart with the exact readers of `values`, `builders` and `goods` make the bot's records, `bad_values` keeps what
could not be read, and `adapter` is the port on top.
"""
