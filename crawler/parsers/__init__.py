"""Pure parsers, one module per kind of tracker: pages in, a record out, no network."""
