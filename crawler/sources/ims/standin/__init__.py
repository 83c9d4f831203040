"""A stand-in for the IMS tracker, which its company alone can reach: for the demo, tests and benchmarks."""

from crawler.sources.ims.standin.app import StandIn
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.model import Account, Action, Change, FieldChange, File, Form, Issue, Project

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
