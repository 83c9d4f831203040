"""The parts of the bulk loader, one noun a file; ``db.loader`` puts them together."""
