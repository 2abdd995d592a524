"""An ERP with a plain JSON interface as a source of dingerp."""
