"""From a sentence that goes on from the last question to its line: 那北京仓呢, 它的采购单, "what about SKU124".

A `turn` is the sentence with the line before it. `last_question` tries the ways in which it may go on, one after the
other, and says why in this order. A way is a function in the module of what it is about: a row of the list (`rows`), a
part of it (`list_parts`), its amounts (`bounds`), all of it or a ranking (`lists`), a report (`reports`); the one
document that is there (`documents`), what it leads to (`links`), one product (`one_product`), goods and warehouses
(`goods`), a customer or vendor (`partners`), another of its kind (`subjects`, `another`), or something to be changed
(`wishes`). `continued` is the line from before with what is new in it, and `going_on` the words that say that a
sentence goes on.

`new_topics` decides whether a sentence asks something new instead. `left_unsaid` completes short questions that would
stand for themselves, and `gaps` says what no line holds.
"""
