"""The rules as plain Python: what needs neither a database nor a user, and is tested without them."""
