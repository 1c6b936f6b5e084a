"""The answer over many tenants, from what the report on each says. Pure."""
