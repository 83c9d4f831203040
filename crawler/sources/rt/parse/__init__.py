"""Reading of Request Tracker's answers: no network, no clock."""
