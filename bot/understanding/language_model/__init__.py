"""An optional language model, asked when the grammar found nothing, or two likely readings.

It gets one sentence and the commands that the asker may use, and no ERP data. Its answer is a line that is checked like
a typed one: a read-only command, with words that occur in the sentence.
"""
