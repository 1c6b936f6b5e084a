"""What an error code, a pasted text or an address of Microsoft's sign-in means; would a tenant answer so."""
