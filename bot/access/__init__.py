"""Who is it, what may they do, and why not."""
