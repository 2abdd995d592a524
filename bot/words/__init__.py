"""The vocabulary shared by all packages: phrases, errors, field classes, names, secrets."""
