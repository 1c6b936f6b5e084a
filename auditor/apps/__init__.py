"""What a tenant's apps, consent requests and logs say: pure functions over a snapshot."""
