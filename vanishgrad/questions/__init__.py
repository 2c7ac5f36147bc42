"""What follows: certificates, theorems and their prose."""
