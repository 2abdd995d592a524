"""From a sentence that goes on from the last question to its line: 那北京仓呢, 它的采购单, "what about SKU124".

A `follow_up` is the sentence with the line before it, and knows the words that say that it goes on. `last_question`
tries the ways in which it may go on, one after the other, and says why in this order. A way is a function in the
module of what it is about: a row or a part of the list, all of it, or a ranking (`lists`), its amounts (`bounds`), the
same of other days (`other_days`) or of another subject (`subjects`); the one document that is there
(`documents`), goods and warehouses (`goods`), the customer or vendor and what else a card leads to (`partners`), or
something to be changed (`change_requests`). `continued` is the line from before with what is new in it.

`new_topics` decides whether a sentence asks something new instead. `short_questions` completes short questions that
would stand for themselves, and `unsupported` says what no line holds.
"""
