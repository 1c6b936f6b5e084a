"""Questions that real tenants, tickets and exports ask, with the right answers."""
