"""What stands around the content of every page: head, style, script, menus and foot.

Pages of the tracker are 15 to 150 KB, most of it the same on each; a client that is fast on bare content
alone is not fast. The script names the page's own landmarks in strings; they are not the landmarks.
"""

from __future__ import annotations

from functools import cache
from html import escape

from crawler.sources.ims.standin.products import PRODUCTS

FOOT = '<div id="footer">IMS &copy; stand-in tracker</div>\n</body>\n</html>\n'

_SECTIONS = ("Issue", "Patch", "Project", "Customer", "Report", "Statistics", "Notice", "Setting")
_ENTRIES = (
    "search",
    "list",
    "register",
    "my",
    "team",
    "favorite",
    "history",
    "export",
    "mail",
    "print",
    "guide",
)


@cache
def _script() -> str:
    validators = "\n".join(
        f"function check{section}{entry.title()}(form) {{\n"
        f'    var value = form["{section.lower()}.{entry}"] ? form["{section.lower()}.{entry}"].value : "";\n'
        f"    if (value.length > 4000) {{ alert('{section} {entry} is too long'); return false; }}\n"
        f"    return true;\n}}"
        for section in _SECTIONS
        for entry in _ENTRIES
    )
    return (
        '<script type="text/javascript">\n//<![CDATA[\n'
        "var contextPath = '/tody';\n"
        "function popBlankIssueView(issueId, menuCode) {\n"
        "    var form = document.createElement('form');\n"
        "    form.method = 'post'; form.target = '_blank';\n"
        "    form.action = contextPath + '/ims/issue/issueView.do';\n"
        "    form.innerHTML = \"<input type='hidden' name='issueId' value='\" + issueId + \"'/>\"\n"
        "        + \"<input type='hidden' name='menuCode' value='\" + menuCode + \"'/>\";\n"
        "    document.body.appendChild(form); form.submit();\n}\n"
        "function emptyRow() { return \"<tr class='data'><td>\" + '&nbsp;' + \"<\\/td><\\/tr>\"; }\n"
        "function openAction(number) { $('#action_' + number).toggle(); $('#comment_' + number).toggle(); }\n"
        f"{validators}\n//]]>\n</script>\n"
    )


@cache
def _menu() -> str:
    items = []
    for section in _SECTIONS:
        links = "".join(
            f'<li class="menu2"><a href="/tody/ims/{section.lower()}/{entry}.do"'
            f" onclick=\"javascript:goMenu('{section.lower()}_{entry}'); return false;\""
            f' title="{section} {entry}"><span class="icon icon_{entry}">&nbsp;</span>'
            f"<span>{section} {entry}</span></a></li>\n"
            for entry in _ENTRIES
        )
        items.append(f'<li class="menu1"><a href="#">{section}</a>\n<ul>\n{links}</ul></li>\n')
    products = "".join(
        f'<li class="quick"><a href="#" data-product="{code}">{escape(name)}</a></li>\n'
        for name, code in PRODUCTS.items()
    )
    return f'<div id="menu"><ul>\n{"".join(items)}</ul>\n<ul class="quickMenu">\n{products}</ul></div>\n'


@cache
def _style() -> str:
    rules = "\n".join(
        f".icon_{entry}_{section.lower()} {{ background: url(/tody/images/{entry}_{section.lower()}.gif); }}"
        for section in _SECTIONS
        for entry in _ENTRIES
    )
    return f'<style type="text/css">\n{rules}\n</style>\n'


def page(title: str, content: str, *, who: str = "", meta: str = "utf-8") -> str:
    """Make a whole page.

    Args:
        title: plain text for the browser's title.
        content: HTML.
        who: the full name of the account, shown above the menus; empty before login.
        meta: what the page says of its charset; empty: nothing.
    """
    charset = f'<meta http-equiv="Content-Type" content="text/html; charset={meta}">\n' if meta else ""
    menus = f'<div id="top"><span class="login">{escape(who)}</span></div>\n{_menu()}' if who else ""
    return (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
        ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        f'<html xmlns="http://www.w3.org/1999/xhtml">\n<head>\n{charset}<title>{escape(title)}</title>\n'
        f"{_style() if who else ''}{_script() if who else ''}</head>\n<body>\n{menus}{content}{FOOT}"
    )
