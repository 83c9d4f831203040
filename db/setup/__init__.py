"""Setting a database up and bringing it up to date."""
