"""What Microsoft documents: ids, scopes, lists of scopes and clouds."""
