"""What is asked about goods: the port for adapters, questions to all sources, lists, and what readers may see."""
