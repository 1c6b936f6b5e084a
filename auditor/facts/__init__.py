"""What Microsoft documents, as tables each with its source: scopes, permissions, clouds and well-known ids."""
