"""A stand-in for the IMS tracker, which its company alone can reach: for the demo, tests and benchmarks."""

from crawler.standin.forms import Listing
from crawler.standin.model import Account, Action, Change, FieldChange, File, Form, Issue, Project
from crawler.standin.server import StandIn

__all__ = [
    "Account",
    "Action",
    "Change",
    "FieldChange",
    "File",
    "Form",
    "Issue",
    "Listing",
    "Project",
    "StandIn",
]
