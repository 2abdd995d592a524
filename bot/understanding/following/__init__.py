"""From a sentence that goes on from the last question to its line: 那北京仓呢, 它的采购单, "what about SKU124".

A `follow_up` is the sentence with the line before it. `last_question` tries the ways in which it may go on, one after
the other, and says why in this order. A way is a function in the module of what it is about: a row of the list
(`rows`), a part of it (`list_parts`), its amounts (`bounds`), all of it or a ranking (`lists`), a report (`reports`);
the one document that is there (`documents`), what it leads to (`links`), one product (`one_product`), goods and
warehouses (`goods`), a customer or vendor (`partners`), another of its kind (`subjects`, `replacements`), or something
to be changed (`change_requests`). `continued` is the line from before with what is new in it, and `follow_up_words` the
words that say that a sentence goes on.

`new_topics` decides whether a sentence asks something new instead. `short_questions` completes short questions that
would stand for themselves, and `unsupported` says what no line holds.
"""
