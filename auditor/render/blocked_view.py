"""Who was stopped and who waits, as a document for people: the answer, a table, each app, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from auditor.facts.ids import is_guid
from auditor.model.blocked import (
    Blocked,
    BlockedApp,
    BlockedSummary,
    LoggedConsent,
    RequestStatus,
    StoppedPerson,
    UserRequest,
)
from auditor.model.document import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Links,
    Paragraph,
    Point,
    Points,
    Title,
    count,
    sentence,
    series,
    time_left,
)
from auditor.model.survey import ScopeSource
from auditor.render.comparison_view import screen_of_comparison, whole_comparison
from auditor.render.labels import NAME_WIDTH, flat, readable_time, resource_label, section_label
from auditor.render.text_layout import clip

ON_SCREEN = 3
"""Apps that one screen of text describes; the table has all, up to `_ROWS`."""
_ROWS = 10
_WITH_CODES = 60
"""From this width on, the table has the codes and both dates."""
_PATH = " > "
_FROM = {
    ScopeSource.PACK: "a pack",
    ScopeSource.CATALOGUE: "the catalogue of apps",
    ScopeSource.GRANTS: "what was granted to it",
    ScopeSource.REQUESTS: "the requests of users",
}


def tone(found: Blocked) -> str:
    """The tone of the answer."""
    if found.summary.stopped_now or found.summary.waiting:
        return "bad"
    return "unsure" if found.summary.unknown_now or not found.is_complete else "good"


def screen(found: Blocked, *, whole: bool, width: int = 80) -> Document:
    """For a terminal: without `whole`, the apps that need attention first; on a narrow one, fewer columns."""
    table = _narrow if width < _WITH_CODES else _compact
    if whole:
        return _whole(found, table(found.apps, _twins(found.apps)))
    first = [app for app in found.apps if app.now.would_connect is not True or _is_malicious(app)][:ON_SCREEN]
    first = first or list(found.apps[:ON_SCREEN])
    shown = found.apps if len(found.apps) <= ON_SCREEN else first
    twins = _twins(found.apps)
    parts = [_short(app, twins) for app in shown]
    more = len(found.apps) - len(shown)
    blocks = [*_head(found, table(found.apps[:_ROWS], twins))]
    if found.comparison:
        blocks += screen_of_comparison(found.comparison)
    elif parts:
        blocks.append(Points(tuple(parts)))
    if found.comparison:
        hint = "For people and requests, and why some predictions can't be compared: add --details."
        blocks.append(Paragraph(hint))
    elif more > 0:
        blocks.append(Paragraph(f"And {count(more, 'more app')}. For all, with people and requests: add --details."))
    elif found.apps:
        blocks.append(Paragraph("For people, requests and permissions: add --details, or -o blocked.html."))
    return (*blocks, *_missing(found, short=True))


def document(found: Blocked) -> Document:
    """All of it, for Markdown and HTML."""
    return _whole(found, _complete(found.apps, _twins(found.apps)))


def _whole(found: Blocked, table: Grid) -> Document:
    blocks = [*_head(found, table)]
    twins = _twins(found.apps)
    if found.comparison:
        blocks += whole_comparison(found.comparison)
    for app in found.apps:
        blocks += _app(app, twins)
    return (*blocks, *_missing(found, short=False))


def _head(found: Blocked, table: Grid) -> Iterator[Block]:
    tenant = clip(flat(found.tenant.name or found.tenant.id), NAME_WIDTH) or "the tenant"
    yield Title(f"Who was stopped and who waits in {tenant}")
    yield Paragraph(answer(found))
    yield Paragraph(_what(found))
    if table.rows:
        yield table


def answer(found: Blocked) -> str:
    """The answer in two or three sentences."""
    made = found.summary
    if not found.apps:
        if not any(one.rows is not None for one in found.sources):
            return "Not known: neither the requests for consent nor the logs were read."
        asked = found.asked
        only = " who matches" if asked.user or asked.app or asked.correlation_id else ""
        partly = "" if found.is_complete else ", as far as was read"
        return f"Nobody{only} was stopped, and nobody{only} waits{partly}.{_check(found)}"
    who = "An unknown number of users" if made.users is None else count(made.users, "user")
    least = "At least " if made.at_least and made.users else ""
    verb = "was" if made.users == 1 and not least else "were"
    text = f"{least}{who} {verb} stopped, at {count(made.apps, 'app')}."
    if made.waiting:
        text += f" {count(made.waiting, 'user waits', 'users wait')} for approval"
        text += f"; {count(made.ends_soon, 'request expires', 'requests expire')} soon." if made.ends_soon else "."
    elif made.waiting is None:
        was_read = any(one.section == "appConsentRequests" and one.complete for one in found.sources)
        text += " Who waits for approval isn't known." if was_read else " Who waits for approval wasn't read."
    return f"{text} {_today(made)}"


def _today(made: BlockedSummary) -> str:
    """Whether users would be stopped today, as sentences."""
    if made.apps == 1 and made.unknown_now:
        return "Whether users could connect it now isn't known."
    if made.apps == 1:
        return "Now, users would still be stopped there." if made.stopped_now else "Now, users could connect it."
    known = [
        f"would still be stopped at {made.stopped_now}" if made.stopped_now else "",
        f"could connect {made.connect_now}" if made.connect_now else "",
    ]
    if not any(known):
        return f"Whether users could connect {made.unknown_now} of these apps now isn't known."
    unknown = f" For {made.unknown_now}, that isn't known." if made.unknown_now else ""
    return f"Now, users {series([one for one in known if one])} of these apps.{unknown}"


def _check(found: Blocked) -> str:
    """What to check if nothing matches, because a name with a typo matches nobody either."""
    asked = found.asked
    if asked.correlation_id:
        return " Check the ID: an entry is in a log only some minutes after the sign-in, and for at most 30 days."
    app = " Check the app's name, or give its client ID." if asked.app and not is_guid(asked.app) else ""
    user = " Check the user's name, or give the user's object ID." if asked.user and not is_guid(asked.user) else ""
    return f"{app}{user}"


def _what(found: Blocked) -> str:
    """What was looked at: the filter, the time of the read, and the source."""
    asked = found.asked
    parts = [
        f"user {asked.user}" if asked.user else "",
        f"app {asked.app}" if asked.app else "",
        f"correlation ID {asked.correlation_id}" if asked.correlation_id else "",
        f"since {readable_time(asked.since)}" if asked.since else "",
    ]
    only = ", ".join(one for one in parts if one)
    taken = readable_time(found.taken)
    read = [f"{one.rows} {_ROW_NAMES[one.section]}" for one in found.sources if one.rows is not None]
    text = f"Read {taken}: {series(read)}." if taken and read else f"Read {taken}." if taken else ""
    return f"{text}{f' Only {only}.' if only else ''}".strip() or "All that was read."


_ROW_NAMES = {
    "appConsentRequests": "apps with requests for consent",
    "signIns": "sign-ins",
    "directoryAudits": "entries of the audit log",
}


def now_word(app: BlockedApp) -> str:
    """What would happen now, in one or two words."""
    if app.now.would_connect is None:
        return "not known"
    return "connects" if app.now.would_connect else "stopped"


def _users(app: BlockedApp) -> str:
    """How many users were stopped, and of them how many wait; ``2+`` if there may be more."""
    text = "?" if app.users is None else f"{app.users}{'+' if app.at_least else ''}"
    if app.unclear and not app.users:
        return f"{app.unclear} left"
    return f"{text}, {app.waiting} wait" if app.waiting else text


def _codes(app: BlockedApp) -> str:
    return ", ".join(one.code.removeprefix("AADSTS") for one in app.codes if one.stops is not False)


def _day(time: str) -> str:
    return readable_time(time)[:10] if time else ""


def _name(app: BlockedApp) -> str:
    """The name, as long as a line can hold, and whether the app is a known abused one."""
    mark = f" (known {'malicious' if app.abused.malicious else 'abused'})" if app.abused else ""
    return f"{clip(flat(app.app.name), NAME_WIDTH)}{mark}"


def _is_malicious(app: BlockedApp) -> bool:
    return app.abused is not None and app.abused.malicious


def _twins(apps: Sequence[BlockedApp]) -> frozenset[str]:
    """The names that more than one of the apps has: anybody can give an app the name of another one."""
    return frozenset(name for name, number in Counter(map(_name, apps)).items() if number > 1)


def _full_name(app: BlockedApp, twins: frozenset[str]) -> str:
    """The name, with the client id if another app has the same one."""
    name = _name(app)
    return f"{name}, client ID {app.app.client_id}" if name in twins else name


def _name_cell(app: BlockedApp, twins: frozenset[str]) -> Cell:
    name = _name(app)
    return Cell(name, below=app.app.client_id if name in twins else "")


def _compact(apps: Sequence[BlockedApp], twins: frozenset[str]) -> Grid:
    rows = tuple(
        (
            _name_cell(app, twins),
            *map(Cell, (_users(app), _codes(app), _day(app.first), _day(app.last), now_word(app))),
        )
        for app in apps
    )
    return Grid(("App", "Users", "AADSTS", "First", "Last", "Now"), rows, 0)


def _narrow(apps: Sequence[BlockedApp], twins: frozenset[str]) -> Grid:
    rows = tuple((_name_cell(app, twins), *map(Cell, (_users(app), _day(app.last), now_word(app)))) for app in apps)
    return Grid(("App", "Users", "Last", "Now"), rows, 0)


def _complete(apps: Sequence[BlockedApp], twins: frozenset[str]) -> Grid:
    rows = []
    for app in apps:
        fix = Cell(app.fix.title if app.fix else "")
        times = (readable_time(one) if one else "" for one in (app.first, app.last))
        rows.append((_name_cell(app, twins), *map(Cell, (_users(app), _codes(app), *times, now_word(app))), fix))
    return Grid(("App", "Users", "AADSTS", "First", "Last", "Now", "Fix with the least access"), tuple(rows), 6)


def _short(app: BlockedApp, twins: frozenset[str]) -> Point:
    """One app on a screen: the sentence, what attackers do with it, who decides, and the fix."""
    below = [*_abused(app), *_decide(app), *_short_fix(app)]
    return Point(f"{_full_name(app, twins)}: {app.sentence}", tuple(map(Point, below)))


def _abused(app: BlockedApp) -> Iterator[str]:
    """What the list of known abused apps says about the app, and what that means for its requests."""
    if app.abused:
        kind, todo = (
            ("malicious", "Don't approve it; deny its requests.")
            if app.abused.malicious
            else ("a product that attackers also use", "Ask who uses it and why before you approve it.")
        )
        yield f"On the list of known abused apps, as {kind}: {sentence(app.abused.why)} {todo}"


def _short_fix(app: BlockedApp) -> Iterator[str]:
    """The fix, who can make it, and in one sentence what it opens."""
    if app.fix:
        opens = str(app.fix.opens.get("summary") or "").partition(". ")[0].rstrip(".")
        role = f" Role: {app.fix.role}." if app.fix.role else ""
        yield f"Fix: {sentence(app.fix.title)}{role}{f' Opens: {opens}.' if opens else ''}"


def _decide(app: BlockedApp) -> Iterator[str]:
    """Where the requests are decided, and by whom."""
    if app.review:
        who = f" Reviewers: {series(app.reviewers)}." if app.reviewers else " It has no reviewers."
        why = app.not_known.get("reviewers")
        yield f"Decide the requests in {_PATH.join(app.review)}.{f' Reviewers: not known ({why}).' if why else who}"


def _fix(app: BlockedApp) -> Iterator[str]:
    """The fix that adds the least access, and what it opens."""
    if app.fix:
        role = f" Needs {app.fix.role}." if app.fix.role else ""
        yield f"Fix: {sentence(app.fix.title)}{role}"
        if opens := str(app.fix.opens.get("summary") or ""):
            yield f"Opens: {opens}"


def _app(app: BlockedApp, twins: frozenset[str]) -> Iterator[Block]:
    """Everything about one app."""
    yield Heading(_full_name(app, twins))
    yield Paragraph(app.sentence)
    points = [Point(text) for text in (*_abused(app), *_now(app), *_decide(app), *_fix(app), *_asks(app))]
    if app.other_fixes:
        points.append(Point("Other fixes, which open more", tuple(map(Point, app.other_fixes))))
    if app.codes:
        points.append(Point("Error codes", tuple(map(Point, _code_lines(app)))))
    if app.requests:
        points.append(Point("Requests", tuple(Point(_request(one)) for one in app.requests)))
    if app.consents:
        points.append(Point("In the audit log", tuple(Point(_consent(one)) for one in app.consents)))
    if app.people:
        points.append(Point("People", tuple(Point(_person(one)) for one in app.people)))
    if app.not_known:
        unknown = (f"{_FIELDS.get(name, name)}: {sentence(why)}" for name, why in app.not_known.items())
        points.append(Point("Not known", tuple(map(Point, unknown))))
    yield Points(tuple(points))
    if app.fix and app.fix.link:
        yield Paragraph("The link of the fix:")
        yield Links((app.fix.link,))
    if app.links:
        yield Paragraph("In the portal:")
        yield Links(tuple(one.address for one in app.links))


_FIELDS = {
    "waiting": "Who waits",
    "stopped": "Whose sign-in failed",
    "refused": "Whose consent was refused",
    "would_connect": "Whether users would connect now",
    "since": "Since when users can connect",
    "subject": "The roles of the user",
    "reviewers": "The reviewers",
}


def _now(app: BlockedApp) -> Iterator[str]:
    code = f" ({app.now.code})" if app.now.code and app.now.would_connect is not True else ""
    because = app.now.because.rstrip(".")
    yield f"Now: {sentence(f'{because}{code}')}"


def _asks(app: BlockedApp) -> Iterator[str]:
    if app.scopes:
        names = series(
            [f"{resource_label(one.resource, one.resource_name)}: {', '.join(one.names)}" for one in app.scopes]
        )
        source = series([_FROM[one] for one in app.scopes_from])
        pack = f" ({app.pack})" if app.pack else ""
        yield f"Asks for {names}, according to {source}{pack}."


def _code_lines(app: BlockedApp) -> Iterator[str]:
    for one in app.codes:
        often = f"{count(one.times, 'time')}, {count(one.users, 'user')}, {_span(one.first, one.last)}"
        normal = " This entry is normal before a consent page." if one.stops is False else ""
        yield f"{one.code}: {one.title or 'not in the table'} ({often}).{normal}"


def _span(first: str, last: str) -> str:
    start, end = readable_time(first), readable_time(last)
    if not end:
        return "no time recorded"
    return end if start == end else f"{start} to {end}"


_STATUS = {
    RequestStatus.PENDING: "waits",
    RequestStatus.UNKNOWN: "status not known",
    RequestStatus.EXPIRED: "expired without a decision",
    RequestStatus.DENIED: "denied",
    RequestStatus.APPROVED: "approved",
    RequestStatus.COMPLETED: "decided",
}


def _request(one: UserRequest) -> str:
    text = f"{one.user or 'somebody'}, {readable_time(one.created) or 'no time recorded'}: {_STATUS[one.status]}"
    if one.ends:
        left = one.days_left
        when = "" if left is None else " (overdue)" if left < 0 else f" ({time_left(left)})"
        text += f", expires {readable_time(one.ends)}{when}"
    if one.reviewed_by:
        text += f" by {one.reviewed_by}{f' on {readable_time(one.reviewed)}' if one.reviewed else ''}"
    quoted = [
        f"reason: {one.reason}" if one.reason else "",
        f"answer: {one.justification}" if one.justification else "",
    ]
    said = "; ".join(part for part in quoted if part)
    return f"{text}. {said[:1].upper()}{said[1:]}" if said else f"{text}."


_RESULTS = {"given": "consented", "refused": "was refused", "risky-blocked": "was blocked, because the app looks risky"}


def _consent(one: LoggedConsent) -> str:
    who = (one.by.name or one.by.id) if one.by else "somebody"
    everyone = {True: " for all users", False: "", None: ", for whom isn't recorded"}[one.for_all]
    what = f": {', '.join(one.scopes)}" if one.scopes else ""
    everyone = everyone if one.result == "given" else ""
    return f"{readable_time(one.at)}: {who} {_RESULTS.get(one.result, one.result)}{everyone}{what}"


def _person(one: StoppedPerson) -> str:
    state = {True: "stopped", False: "not stopped", None: "left the page, or didn't finish"}[one.stopped]
    codes = f", {', '.join(one.codes)}" if one.codes else ""
    return f"{one.name}: {state}{' and waits' if one.waits else ''}{codes}, {_span(one.first, one.last)}"


def _missing(found: Blocked, *, short: bool) -> Iterator[Block]:
    """What wasn't read, why, what that hides, and what allows the read."""
    gaps = [one for one in found.sources if not one.complete]
    if not gaps:
        return
    if not short:
        yield Heading("Not read, or only in part")
    points = []
    for gap in gaps:
        allows = f" Allows the read: {series(gap.needs, 'or')}{_LICENSE.get(gap.section, '')}." if gap.needs else ""
        points.append(Point(f"{section_label(gap.section)}: {sentence(gap.why)} Unknown: {gap.hides}.{allows}"))
    yield Points(tuple(points))


_LICENSE = {"signIns": ", with a Microsoft Entra ID P1 or P2 license of the tenant"}
