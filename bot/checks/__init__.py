"""What a good controller looks at in a document before somebody decides it: advice with its figures, no decision."""
