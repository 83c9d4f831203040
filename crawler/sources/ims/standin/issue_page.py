"""The page of one issue: server-rendered, whole in one answer, every section in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from crawler.sources.ims.standin import layout
from crawler.sources.ims.standin.columns import own_field
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.model import Account, Action, Change, FieldChange, File, Form, Issue
from crawler.sources.ims.standin.products import PRODUCTS
from crawler.sources.ims.standin.text import show_date, show_text

_COLOURS = {"Open": "#c00", "New": "#c60", "Closed": "#888", "Closed_P": "#888", "Resolved": "#080"}


def issue_page(issue: Issue, related: Sequence[Issue], account: Account, listing: Listing) -> str:
    """Make the page of an issue as an account sees it.

    Args:
        issue: the issue.
        related: its related issues, without those that the account may not see.
        account: who looks.
        listing: how the tracker writes what is not up to the issue.
    """
    form = issue.form
    number = f'<span class="issueNumber">{issue.number}</span>' if form.number_span else ""
    content = (
        '<form name="issueForm" method="post"'
        f' action="/tody/ims/issue/issueView.do?issueId={issue.number}">\n'
        f'<h2 class="issueTitle">Issue {number}</h2>\n</form>\n'
        f"{_download_script(listing)}"
        f"{_fields(issue, account)}{_notice(issue)}{_description(issue)}"
        f'<div id="CommentsDiv">\n{"".join(_action(action, form) for action in issue.actions)}</div>\n'
        f"{_history(issue.changes, form)}"
        f"{_files('AttachesDiv', 'ISSUE', issue.files)}{_files('PatchAttachesDiv', 'PATCH', issue.files)}"
        f"{_related(related, account)}"
    )
    return layout.page(f"Issue {issue.number}", content, who=account.full_name, meta=_meta(form))


def _meta(form: Form) -> str:
    if form.charset == "missing":
        return ""
    if form.charset == "wrong":
        return "iso-8859-1" if form.encoding == "utf-8" else "utf-8"
    return "utf-8" if form.encoding == "utf-8" else "euc-kr"


def _download_script(listing: Listing) -> str:
    if listing.download == "form":
        body = (
            "    var form = document.downloadForm;\n"
            "    form.elements['fileId'].value = fileId;\n    form.elements['fileType'].value = fileType;\n"
            "    form.action = '/tody/common/file/downloadFile.do';\n    form.submit();\n"
        )
        form = (
            '<form name="downloadForm" method="get" action=""><input type="hidden" name="fileId" value="">'
            '<input type="hidden" name="fileType" value=""></form>\n'
        )
    else:
        body = (
            "    location.href = '/tody/common/file/downloadFile.do?fileId=' + fileId"
            " + '&fileType=' + fileType;\n"
        )
        form = ""
    return (
        f'<script type="text/javascript">\nfunction downloadFileNew(fileId, fileType) {{\n{body}'
        f"    return false;\n}}\n</script>\n{form}"
    )


def _fields(issue: Issue, account: Account) -> str:
    form = issue.form
    shown = [(header, value) for header, value in _all_fields(issue) if header not in account.hidden_fields]
    rows = []
    for start in range(0, len(shown), form.pairs):
        pairs = "".join(
            f'{_header(header, form)}<td class="data" nowrap>{value}&nbsp;</td>'
            for header, value in shown[start : start + form.pairs]
        )
        rows.append(f"<tr>{pairs}</tr>\n")
    patches = ""
    if issue.project.code:
        arguments = ",".join(f"'{argument}'" for argument in patch_arguments(issue))
        call = escape(f"popupPatchList({arguments}); return false;")
        patches = f'<a href="#" onclick="{call}">Patch List</a>\n'
    return f'<div id="IssueBasicDiv">\n<table class="basic">\n{"".join(rows)}</table>\n{patches}</div>\n'


def patch_arguments(issue: Issue) -> tuple[str, str, str, str, str]:
    """What ``popupPatchList`` is called with: project and site code, product code, project and site name."""
    project = issue.project
    return (project.code, project.site_code, PRODUCTS.get(issue.product, ""), project.name, project.site)


def _all_fields(issue: Issue) -> list[tuple[str, str]]:
    form = issue.form
    colour = _COLOURS.get(issue.status, "#06c")
    fields = [
        ("Subject", escape(issue.title)),
        ("Product", escape(issue.product)),
        (
            "Status",
            f'<span style="color: {colour}"><span class="bold">{escape(issue.status)}</span></span>'
            if issue.status
            else "",
        ),
        ("Project", escape(own_field(issue, "Project"))),
        ("Site", escape(own_field(issue, "Site"))),
        (form.reporter_header, escape(issue.reporter)),
        ("Registered date", show_date(issue.registered, form)),
    ]
    for header, value in issue.fields.items():
        shown = form.priority_header if header == "Priority" else header
        fields.append((shown, escape(value)))
    return fields


def _header(header: str, form: Form) -> str:
    match form.header_cell:
        case "title":
            return f'<td class="title tableHeaderTitle" nowrap>{header}</td>'
        case "plain":
            return f'<td class="tableHeaderTitle">{header}&nbsp;</td>'
        case "th":
            return f"<th>{header}</th>"


def _notice(issue: Issue) -> str:
    return (
        '<div id="NoticeDiv">\n<table><tr>'
        f"{_header('Product Notice', issue.form)}"
        f'<td class="data">{show_text(issue.notice)}&nbsp;</td></tr></table>\n</div>\n'
    )


def _description(issue: Issue) -> str:
    body = show_text(issue.description) if issue.description_html is None else issue.description_html
    return (
        '<div id="IssueDescriptionDiv">\n<h3>Issue Description</h3>\n<table><tr>'
        f'<td class="data">{body}</td></tr></table>\n</div>\n'
    )


def _action(action: Action, form: Form) -> str:
    number = action.number
    text = show_text(action.text) if action.html is None else action.html
    body = (
        f'<div id="comment_{number}"><div class="commDescTR">{text}</div></div>'
        if form.comment_body == "comment"
        else f'<div id="commDescTR_{number}">{text}</div>'
    )
    return (
        f'<div class="fieldset">\n<div class="legend"><span class="link2" id="action_{number}"'
        f" onclick=\"openAction('{number}');\">Action No. {number} | Registrant : {escape(action.author)}"
        f" | Registered date : {show_date(action.at, form)}</span></div>\n"
        f'<input type="hidden" name="actionId" value="{number}">\n{body}\n</div>\n'
    )


def _history(changes: Sequence[Change], form: Form) -> str:
    rows = "".join(
        f'<tr class="data"><td nowrap>{show_date(change.at, form)}</td><td nowrap>{escape(change.by)}</td>'
        f"<td>{'<br>'.join(_line(line, form) for line in change.lines)}&nbsp;</td></tr>\n"
        for change in changes
    )
    return (
        '<div id="HistoriesDiv" style="display:none">\n<table>\n'
        f'<tr class="title"><th>Date</th><th>User</th><th>Details</th></tr>\n{rows}</table>\n</div>\n'
    )


def _line(line: FieldChange | str, form: Form) -> str:
    if isinstance(line, str):
        return escape(line)
    return escape(f"{line.field} : {line.old} {form.arrow} {line.new}")


def _files(section: str, kind: str, files: Sequence[File]) -> str:
    links = "".join(
        f"<li><a href=\"/\" onclick=\"downloadFileNew('{file.number}', '{kind}'); return false;\">"
        f"<span>{escape(file.name)}</span></a> ({max(1, round(len(file.content) / 1024))} KB)</li>\n"
        for file in files
        if file.kind == kind
    )
    return f'<div id="{section}" style="display:none">\n<ul>\n{links}</ul>\n</div>\n'


def _related(related: Sequence[Issue], account: Account) -> str:
    columns = ("Status", "Product", "Module", "Owner", "Handler", "Customer", "Project", "Subject")
    rows = []
    for place, issue in enumerate(related, start=1):
        values = dict(issue.fields)
        values |= {"Status": issue.status, "Product": issue.product, "Project": issue.project.name}
        values["Subject"] = issue.title
        cells = "".join(
            f"<td>{'' if column in account.hidden_fields else escape(values.get(column, ''))}&nbsp;</td>"
            for column in columns
        )
        link = (
            f'<a href="/tody/ims/issue/issueView.do?issueId={issue.number}&amp;menuCode=issue_search">'
            f"{issue.number}</a>"
        )
        rows.append(f'<tr class="data"><td>{place}</td><td>{link}</td>{cells}</tr>\n')
    titles = "".join(f"<th>{column}</th>" for column in ("No", "Issue No", *columns))
    return (
        '<div id="RelatedIssueDiv" style="display:none">\n<table id="RelatedIssueTable">\n'
        f'<tr class="title">{titles}</tr>\n{"".join(rows)}</table>\n</div>\n'
    )
