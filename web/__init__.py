"""The page for people: the same questions as in the shell, looked at in a browser."""
