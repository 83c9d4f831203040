"""Plain text, as a person would read it, out of what trackers write in their markup languages."""
