"""A real Tryton server on localhost: `preparing` installs and fills it once, `running` serves copies of it."""
