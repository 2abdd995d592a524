"""From a sentence that goes on from the last question to its line: 那北京仓呢, 它的采购单, "what about SKU124".

`last_question` tries the ways in which it may go on, one after the other; the other modules are those ways, by what
the sentence says. `continued` is the line from before with what is new in it.
"""
