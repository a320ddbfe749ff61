"""Tables for notebooks and theses."""
