"""Copies of the documents of the company's ERPs, so that sums and lists over months ask no ERP.

Documents and their lines are kept up to date by each source's feed of changes (`bot.read_model.follower`), stored
sealed, and read as one reader may see them (`bot.read_model.queries`). Answers say where the copies are incomplete.
"""
