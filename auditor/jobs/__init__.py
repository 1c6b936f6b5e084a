"""What the commands do: each job combines the packages below it to answer one request."""
