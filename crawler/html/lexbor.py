"""The fast engine: selectolax on Lexbor, which follows the HTML standard."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.html.prose import MARKED, Prose
from crawler.html.sanitize import encoded, guarded
from crawler.html.text import UNSEEN, VERBATIM, Flow, inline, one_line


class _LexborElement:
    __slots__ = ("_node",)

    def __init__(self, node: LexborNode) -> None:
        self._node = node

    @property
    def name(self) -> str:
        return self._node.tag or ""

    @property
    def key(self) -> int:
        return self._node.mem_id

    @property
    def parent(self) -> _LexborElement | None:
        above = self._node.parent
        return _LexborElement(above) if above is not None and above.is_element_node else None

    @property
    def following(self) -> _LexborElement | None:
        beside = self._node.next
        while beside is not None and not beside.is_element_node:
            beside = beside.next
        return None if beside is None else _LexborElement(beside)

    def select(self, css: str) -> list[_LexborElement]:
        found = self._node.css(css)
        if found and found[0].mem_id == self._node.mem_id:  # Lexbor counts the element itself
            del found[0]
        return [_LexborElement(node) for node in found]

    def select_one(self, css: str) -> _LexborElement | None:
        first = self._node.css_first(css)
        if first is None:
            return None
        if first.mem_id == self._node.mem_id:
            below = self.select(css)
            return below[0] if below else None
        return _LexborElement(first)

    def children(self) -> list[_LexborElement]:
        return [_LexborElement(node) for node in self._node.iter() if node.is_element_node]

    def attribute(self, name: str) -> str | None:
        attributes = self._node.attributes
        return (attributes[name] or "") if name in attributes else None

    def replace(self, text: str) -> None:
        self._node.replace_with(text)

    def text(self) -> str:
        only = self._node.first_child
        if only is not None and only.is_text_node and only.next is None and self._node.tag not in VERBATIM:
            return inline(only.text_content or "")
        flow = Flow()
        _walk_lexbor(self._node, flow)
        return flow.text()

    def prose(self) -> str:
        if self._node.css_first(MARKED) is None:  # as most texts are, and the way is three times as fast
            return self.text()
        flow = Prose()
        _walk_lexbor(self._node, flow)
        return flow.text()

    def line(self) -> str:
        only = self._node.first_child
        if only is not None and only.is_text_node and only.next is None:
            return one_line(only.text_content or "")
        return one_line(self.text())


def _walk_lexbor(root: LexborNode, flow: Flow) -> None:
    # Iterative: a page chooses how deep it nests.
    if root.tag in VERBATIM:
        flow.enter("pre")
    above: list[tuple[LexborNode, str]] = []
    node = root.first_child
    while True:
        if node is None:
            if not above:
                return
            node, tag = above.pop()
            flow.leave(tag)
            node = node.next
        elif node.is_text_node:
            flow.words(node.text_content or "")
            node = node.next
        elif node.is_element_node and (tag := node.tag or "") not in UNSEEN:
            if isinstance(flow, Prose):
                flow.meet(_LexborElement(node).attribute)
            flow.enter(tag)
            above.append((node, tag))
            node = node.first_child
        else:
            node = node.next


class LexborDocument:
    """A page read by Lexbor, which follows the HTML standard.

    Args:
        html: the decoded page.

    Raises:
        PageRejected: the page is too large or nested too deeply to be read safely.
    """

    def __init__(self, html: str) -> None:
        self._parser = LexborHTMLParser(encoded(guarded(html)))

    def select(self, css: str) -> list[_LexborElement]:
        """Every element that matches, in the page's order."""
        return [_LexborElement(node) for node in self._parser.css(css)]

    def select_one(self, css: str) -> _LexborElement | None:
        """The first element that matches."""
        first = self._parser.css_first(css)
        return None if first is None else _LexborElement(first)
