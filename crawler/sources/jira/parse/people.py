"""Who did something, by the names of Server and of Cloud."""

from __future__ import annotations

from crawler.json_document import JsonNode
from crawler.records import Json


class People:
    """Reads the people of one issue and remembers what they are called.

    Server knows people by login names. Cloud has ids that say nothing to anybody in their place, so there a
    person is called as Jira shows them, and the id is kept beside.
    """

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}
        self._accounts: dict[str, str] = {}

    def name(self, node: JsonNode | None) -> str | None:
        """What a person is called; None where Jira tells nobody."""
        if node is None or not node.object():
            return None
        login, shown = node.optional_text("name"), node.optional_text("displayName")
        account = node.optional_text("accountId")
        if account:
            self._accounts[account] = shown or account
            return shown or account
        if login and shown and login != shown:
            self._shown[login] = shown
        return login or shown or node.optional_text("key") or None

    def extra(self) -> dict[str, Json]:
        """What to keep of them beside their names."""
        told: dict[str, Json] = {}
        if self._shown:
            told["display names"] = dict(sorted(self._shown.items()))
        if self._accounts:
            told["account ids"] = {account: self._accounts[account] for account in sorted(self._accounts)}
        return told
