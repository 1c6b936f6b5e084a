"""The tenant itself: credentials, transport, the catalogue of reads, and collecting them into a snapshot."""
