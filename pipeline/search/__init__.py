"""Search of what is stored, questions in words, favourites and history."""
