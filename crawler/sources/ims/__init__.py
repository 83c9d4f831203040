"""The IMS tracker: HTML behind a login."""
