"""Documents as plans: what a vendor states per kind, and the reads that follow from it.

A vendor states a `Plan` for each kind of document: where its rows are, the conditions of its lists, the joins with what
other rows tell, and one function that builds the document. It implements the calls of `Dialect` once for all of them.
"""
