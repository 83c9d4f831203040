"""A Bugzilla without a REST API, read by its pages: lists as CSV, bugs as XML, histories as HTML."""
