"""dingerp brings a company's ERP into its DingTalk groups."""

__version__ = "0.1.0"
