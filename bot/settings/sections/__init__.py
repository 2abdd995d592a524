"""The sections of the settings, each with what its entries mean; the reference page is made of their descriptions."""
