"""Fleets of tenants: one world of customers for every way to audit, onboard and report on them."""
