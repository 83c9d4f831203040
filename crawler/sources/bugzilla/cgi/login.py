"""How one logs in to a Bugzilla's pages: by its form, which answers with a cookie."""

from __future__ import annotations

from crawler.client import Client
from crawler.errors import ItemError, LoginRefused, TrackerError
from crawler.html import LexborDocument
from crawler.source import Connection

_LOGOUT = "logout=1"  # the link that everybody has who is logged in


class CgiLogin:
    """Logs in as one account.

    Raises:
        LoginRefused: there is a secret and no name, which pages do not take.
    """

    def __init__(self, connection: Connection, client: Client) -> None:
        self._name, self._password = connection.username, connection.password
        self._client = client
        self.is_wanted = self._password is not None
        if self.is_wanted and self._name is None:
            raise LoginRefused(
                "This Bugzilla has no REST API, and its pages take no API key: give a user name with its"
                " password."
            )

    async def log_in(self) -> None:
        """Log in.

        Raises:
            LoginRefused: name or password are wrong.
            TrackerError: the form cannot be had.
        """
        try:
            form = await self._client.get("index.cgi")
            fields = [("Bugzilla_login", self._name or ""), ("Bugzilla_password", self._password or "")]
            # From 4.4 on the form has a token of its own.
            hidden = LexborDocument(form.text).select_one('input[name="Bugzilla_login_token"]')
            if hidden is not None and (token := hidden.attribute("value")):
                fields.append(("Bugzilla_login_token", token))
            fields.append(("GoAheadAndLogIn", "1"))
            front = await self._client.post("index.cgi", data=fields, accept=range(200, 404), retry=False)
            if _LOGOUT not in front.text:  # some answer by another page, or send elsewhere
                front = await self._client.get("index.cgi")
        except ItemError as error:
            raise TrackerError(f"Bugzilla's form for the login cannot be had: {error}") from error
        if _LOGOUT not in front.text:
            raise LoginRefused(f"Bugzilla refused the name {self._name!r} or its password.")

    def is_lost(self, body: bytes) -> bool:
        """Whether XML of bugs is for nobody: for somebody, it says for whom."""
        head = body[:4000]
        return self.is_wanted and b"<bugzilla" in head and b"exporter=" not in head.partition(b"<bug>")[0]
