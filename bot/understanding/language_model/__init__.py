"""An optional language model, asked where the grammar found nothing, or two likely readings.

It gets one sentence and the commands that the asker may use, and nothing that an ERP said. What it answers is a line
that is checked like a typed one: a command that only asks, and words that stand in the sentence.
"""
