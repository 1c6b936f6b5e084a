"""Tests of rule packs: the loader, its messages, and the packs that ship."""
