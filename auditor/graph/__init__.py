"""Read a live tenant: credentials, transport, the reads that a plan needs, and the snapshot that they give."""
