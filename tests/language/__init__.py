"""The language linter: constructions that a native technical writer wouldn't use, found in everything people read."""
