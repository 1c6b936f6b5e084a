"""What is shipped is what is here, and it runs elsewhere."""
