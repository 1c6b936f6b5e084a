"""The files in deploy/: each is read by the tool that will read it, and what it runs is run."""
