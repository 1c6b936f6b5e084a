"""Tells why the users of a Microsoft 365 tenant can or cannot connect an app, and what to change."""

__version__ = "0.1.0"
