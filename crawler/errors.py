"""Everything that can go wrong between us and a tracker, named after what the caller does about it.

    CrawlError
    ├── UsageError             the asker's words are wrong: say so (exit 2)
    │   ├── QueryError             the query cannot be understood
    │   └── UnknownProduct         the tracker has no such product
    ├── AccessError            the tracker does not let us in: stop, keep the checkpoint (exit 3)
    │   ├── LoginRefused           name or password are wrong; never tried twice
    │   └── NotPermitted           logged in, but not allowed
    ├── TrackerError           the tracker is away or not what it should be: stop, resume later (exit 5)
    │   ├── LayoutChanged          its pages lack what they used to have: store nothing, look at the parser
    │   └── TooMuch                it has more than a session may bring: ask for less
    ├── ItemError              this one issue fails, the session goes on (exit 4 at its end)
    │   ├── PageRejected           a page did not pass its gate: kept in quarantine
    │   │   ├── PageCut                it ends before its end: asked for once more first
    │   │   └── PageDamaged            it was kept, and is not what was put in any more
    │   ├── PageTooLarge           more bytes than the limit, on the wire or inflated
    │   │   └── FileTooLarge           of an attached file
    │   ├── RedirectRefused        a redirect led away from the tracker's origin
    │   ├── NotFound               404, 410 or the tracker's own word for it
    │   └── Forbidden              the tracker does not show this issue to the account
    └── TemporaryError         worth another try after a pause; an ItemError when the tries are used up

Each carries one sentence for the user, without secrets and without the tracker's raw text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.kept_page import KeptPage


class CrawlError(Exception):
    """Something went wrong that is not a defect of ours; ``str()`` is a sentence for the user."""


class UsageError(CrawlError):
    """What was asked for cannot be done as asked."""


class QueryError(UsageError):
    """The query cannot be understood."""


class UnknownProduct(UsageError):
    """The tracker has no product of that name."""


class AccessError(CrawlError):
    """The tracker does not let this account in."""


class LoginRefused(AccessError):
    """The tracker refused name or password."""


class NotPermitted(AccessError):
    """The account is known but may not do this."""


class TrackerError(CrawlError):
    """The tracker cannot be reached or is not what it should be."""


class LayoutChanged(TrackerError):
    """A field that was mostly filled is suddenly empty on all pages."""


class TooMuch(TrackerError):
    """The tracker has more than one session may bring."""


class ItemError(CrawlError):
    """One issue cannot be had; the others can."""


class PageRejected(ItemError):
    """A page did not pass its gate; the raw page is kept.

    Args:
        message: one sentence.
        pages: what cannot be read, where whoever raises it has it.
    """

    def __init__(self, message: str, *, pages: tuple[KeptPage, ...] = ()) -> None:
        super().__init__(message)
        self.pages = pages


class PageCut(PageRejected):
    """A page ends before its end, though nothing on the way said so; the next answer may be whole."""


class PageDamaged(PageRejected):
    """A page that was kept is not what was put in."""


def is_cut(error: CrawlError) -> bool:
    """Whether an error is about a page that was cut, or was made of one that is."""
    return isinstance(error, PageCut) or isinstance(error.__cause__, PageCut)


class PageTooLarge(ItemError):
    """A page is larger than the limit."""


class FileTooLarge(PageTooLarge):
    """An attached file has more bytes than are wanted of one."""


class RedirectRefused(ItemError):
    """A redirect led away from the tracker's origin."""


class NotFound(ItemError):
    """The tracker says that there is no such issue."""


class Forbidden(ItemError):
    """The tracker does not show this issue to the account."""


class TemporaryError(CrawlError):
    """Worth another try.

    Args:
        message: one sentence.
        retry_after: seconds to wait before the next try, where the tracker said so.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
