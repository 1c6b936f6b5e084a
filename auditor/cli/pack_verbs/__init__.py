"""The verbs of ``packs``, one a file."""
