"""The local index of products: codes, names, specs, barcodes and pinyin, kept up to date by each source's cursor.

A search by name is the one question that every typing mistake asks again, and the one that an ERP answers by reading
all its products. Here it costs the ERP nothing. What is found is only a way to the product: its figures are always
asked of the ERP.
"""
