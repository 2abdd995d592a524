"""What sources share whose records are mapped in the configuration: where each field comes from, and how it is read.

`origins` is the configuration of a field, `shapes` which fields there are, `values` how one is read exactly, `records`
makes the bot's records of them, `bad_values` keeps what could not be read, `adapter` is the port on top.
"""
