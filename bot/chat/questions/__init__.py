"""From a line, sentence or picture to the command that answers it, within the limits on questions."""
