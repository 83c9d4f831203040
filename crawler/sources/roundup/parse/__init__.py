"""Reading of Roundup's answers and pages: no network, no clock."""
