"""Questions of the company's own: a query under a name, with arguments, columns and rights."""
