"""The documents that the company's ERPs have, kept so that sums and lists over months ask no ERP.

Documents and their lines are followed by each source's feed of changes (`bot.read_model.follower`), sealed where they
lie, and read as one reader may see them (`bot.read_model.queries`). What is not held completely is said.
"""
