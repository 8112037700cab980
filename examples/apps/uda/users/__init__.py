"""The users: table, pages and API."""
