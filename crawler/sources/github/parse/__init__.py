"""Reading of GitHub's answers: no network, no clock."""
