"""What a tenant's apps, requests and logs say together: pure functions over a snapshot."""
