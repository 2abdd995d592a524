"""A real Tryton server on loopback: `preparing` installs and fills it once, `running` serves copies of it."""
