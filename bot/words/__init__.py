"""The words that every room uses: phrases, errors, classes of fields, names, secrets."""
