"""One module per kind of tracker, each with the same verbs: login, search, fetch, parse."""
