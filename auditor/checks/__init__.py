"""Rules held against a snapshot: findings."""

from __future__ import annotations
