"""Fixes: offered only where they work, computed from what is there, never at another setting's expense."""
