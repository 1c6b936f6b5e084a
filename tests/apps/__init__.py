"""Tests of what a tenant's apps, consent requests and logs say."""
