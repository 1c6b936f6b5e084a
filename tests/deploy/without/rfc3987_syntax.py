"""Stands before rfc3987-syntax: jsonschema builds forty grammars with it on import, for formats no schema here has."""

raise ImportError
