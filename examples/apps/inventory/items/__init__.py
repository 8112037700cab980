"""Items of the inventory: their table, pages and JSON."""
