"""The tenant itself: credentials, transport, the reads_for of reads, and collecting them into a snapshot."""
