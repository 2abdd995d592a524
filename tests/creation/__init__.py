"""Documents that people begin from the chat."""
