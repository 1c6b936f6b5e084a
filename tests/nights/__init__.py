"""Thirty nights of three tenants: what happens, how often the runs are killed, and what must be known in the end."""
