"""What Microsoft documents, as tables with a source: scopes, lists of permissions, clouds, and well-known ids."""
