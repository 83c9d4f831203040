"""People, by their login names, and how they are shown."""

from __future__ import annotations

from crawler.json_document import JsonNode


class People:
    """Remembers of everybody who is read what their login name stands for."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}  # by the login names

    def named(self, node: JsonNode, field: str) -> str | None:
        """The login name of somebody; None for nobody."""
        who = node.find(field)
        return None if who is None else self.name_of(who)

    def name_of(self, who: JsonNode) -> str | None:
        """The login name of a person; the name that is shown where there is no other."""
        login, shown = who.optional_text("username"), who.optional_text("name")
        if login and shown and shown != login:
            self.shown[login] = shown
        return login or shown
