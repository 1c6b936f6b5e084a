"""Exposure: what else becomes possible with a change of the tenant, for which apps, and who can use this one."""
