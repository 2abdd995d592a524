"""dingerp brings a company's ERP into its DingTalk groups."""
