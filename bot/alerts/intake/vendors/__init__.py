"""What each vendor's own webhook says, as CloudEvents: as far as its body carries what a type needs."""
