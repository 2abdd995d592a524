"""Documents that people begin from the chat: shown first, written once by one tap, and read back from the ERP."""
