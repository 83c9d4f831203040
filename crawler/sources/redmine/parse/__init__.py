"""Reading of Redmine's answers: no network, no clock."""
