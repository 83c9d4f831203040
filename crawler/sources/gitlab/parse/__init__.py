"""Reading of GitLab's answers: no network, no clock."""
