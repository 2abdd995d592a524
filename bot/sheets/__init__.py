"""Lists in tables that people share: fed with what one reader may see, and edits come back as proposals."""
