"""How the tables of `resources/` are made from public files."""
