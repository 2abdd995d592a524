"""The gate: programs ask leave for what they are about to do, the company's rules or its people say yes or no, and the
answer is one, signed, and good once.
"""
