"""A survey of apps as a document for people: the answer, a table, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from auditor.model.decision import AppOwner, Confidence
from auditor.model.document import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Paragraph,
    Point,
    Points,
    Title,
    code,
    count,
    sentence,
    series,
)
from auditor.model.survey import (
    Approver,
    ConnectAnswer,
    ConnectState,
    Permissions,
    Risk,
    ScopeSource,
    SeenIn,
    Survey,
    SurveyedApp,
)
from auditor.render.comparison_view import TITLE, whole_comparison
from auditor.render.labels import NAME_WIDTH, flat, readable_time, resource_label
from auditor.render.text_layout import clip, safe

ON_SCREEN = 7
"""Apps that one screen of text shows."""
_NAMED = 4
"""Permissions of one resource that a cell names."""

_WORDS = {
    ConnectState.STOPPED: "stopped",
    ConnectState.UNKNOWN: "unknown",
    ConnectState.CONNECTS: "connect",
    ConnectState.WITHOUT_USERS: "no users",
}
_APPROVERS = {
    Approver.APPROVED: "approved already",
    Approver.USERS: "users can approve it",
    Approver.ADMINISTRATORS: "administrators can approve it",
    Approver.NOBODY: "approval doesn't help",
    Approver.UNKNOWN: "who can approve it isn't known",
}
_APPROVED = {
    Approver.APPROVED: "approved for every user",
    Approver.USERS: "users approve it themselves",
}


def screen(survey: Survey, *, whole: bool) -> Document:
    """For a terminal: few columns, and without `whole` only the apps that need attention first."""
    most = len(survey.apps) if whole else ON_SCREEN
    blocks = (
        *_blocks(survey, _compact(survey, survey.apps[:most], whole=whole), len(survey.apps) - most),
        _notes(survey),
    )
    if whole:
        return (*blocks, *_compared(survey), *_gaps(survey))
    if survey.comparison and survey.comparison.apps:
        not_read = "".join(f" Not read: {one}." for one in survey.comparison.not_read)
        blocks = (*blocks, Paragraph(f"{TITLE}: {survey.comparison.sentence}{not_read}"))
    unknown = "; ".join(gap.unknown for gap in survey.gaps)
    missing = Paragraph(f"Not read, or only in part, so unknown: {unknown}. To see why, add --details.")
    return (*blocks, missing) if unknown else tuple(blocks)


def document(survey: Survey) -> Document:
    """The whole survey with every column, for Markdown and HTML."""
    return (*_blocks(survey, _complete(survey), 0), _notes(survey), *_compared(survey), *_gaps(survey))


def _compared(survey: Survey) -> Iterator[Block]:
    """The decisions compared with what happened, if the logs have something to compare."""
    if survey.comparison and survey.comparison.apps:
        yield from whole_comparison(survey.comparison)


def tone(survey: Survey) -> str:
    """The tone of the answer."""
    if survey.summary.stopped or survey.summary.would_stop:
        return "bad"
    return "unsure" if survey.summary.unknown or survey.gaps else "good"


def _blocks(survey: Survey, table: Grid, folded: int) -> Iterator[Block]:
    tenant = clip(flat(survey.tenant.name or survey.tenant.id), NAME_WIDTH)
    yield Title(f"Apps of {tenant}" if tenant else "Apps of the tenant")
    if survey.assumptions and survey.apps:
        yield Paragraph(_assumed(survey))
        yield Paragraph(f"Now, {answer(survey)}")
    else:
        yield Paragraph(answer(survey))
    if table.rows:
        yield table
    if folded > 0:
        yield Paragraph(f"And {count(folded, 'more app')}. To see all: add --details, or -o apps.html.")


def _gaps(survey: Survey) -> Iterator[Block]:
    """What wasn't read, why, and what the survey therefore doesn't know."""
    if survey.gaps:
        yield Heading("Not read, or only in part")
        yield Points(tuple(Point(f"{sentence(gap.why)} Unknown: {gap.unknown}.") for gap in survey.gaps))
        if any(gap.why.endswith("was not read") for gap in survey.gaps):
            yield Paragraph("A survey of a live tenant reads all of this, if it may, and so does collect --full.")


def answer(survey: Survey) -> str:
    """The answer in a few sentences: whether users are stopped, without regard to an assumption."""
    found = survey.summary
    if not found.apps:
        if survey.left_out.filtered or survey.left_out.undecided:
            return "No app of this tenant is known to match the filters."
        return "No app to show: none holds a permission, and nobody waits for one, as far as was read."
    verb = "works" if found.without_users == 1 else "work"
    parts = [
        f"{found.unknown} can't be decided" if found.unknown else "",
        f"{found.without_users} {verb} without users" if found.without_users else "",
    ]
    others = series([part for part in parts if part])
    blocked = sum(
        app.state is ConnectState.STOPPED
        and app.can_connect is not None
        and app.can_connect.approver is not Approver.ADMINISTRATORS
        for app in survey.apps
    )
    how = [
        f"{found.stopped - blocked} until an administrator approves" if found.stopped > blocked else "",
        f"{blocked} for another reason" if blocked else "",
    ]
    by = f" ({', '.join(filter(None, how))})" if found.stopped else ""
    stopped = f"{found.stopped} of {count(found.apps, 'app')}: users are stopped{by}."
    if found.unknown and not found.stopped:
        stopped = f"{count(found.apps, 'app')}: none is known to stop users."
    malicious = sum(app.abused is not None and app.abused.malicious for app in survey.apps)
    sentences = (
        f"{count(malicious, 'known malicious app')} in this tenant or in its requests." if malicious else "",
        stopped,
        f"{others}." if others else "",
        _waiting(survey),
    )
    return " ".join(filter(None, sentences))


def _waiting(survey: Survey) -> str:
    """At how many apps users wait; empty if nobody does, or if nothing about it was read."""
    asking = sum(bool(app.waiting.asking) for app in survey.apps)
    failed = sum(bool(app.waiting.failed) for app in survey.apps)
    parts = [
        f"users wait for the approval of {count(asking, 'app')}" if asking else "",
        f"sign-ins to {count(failed, 'app')} failed because of consent or assignment" if failed else "",
    ]
    text = series([part for part in parts if part])
    waits = f"{text[:1].upper()}{text[1:]}." if text else ""
    unclear = sum(app.waiting.asking is None and SeenIn.REQUESTS in app.seen_in for app in survey.apps)
    open_ = f"Users asked for the approval of {count(unclear, 'app')}; who waits isn't known." if unclear else ""
    return " ".join(filter(None, (waits, open_)))


def _assumed(survey: Survey) -> str:
    found, what = survey.summary, series(survey.assumptions)
    number = found.would_stop or 0
    text = f"With {what}, {count(number, 'more app')} {'stops' if number == 1 else 'stop'} new users"
    if found.would_depend:
        text += f", and {found.would_depend} can't be decided"
    if not number:
        return f"{text}."
    if found.keep is None:
        return f"{text}. How many users keep working, because they approved such an app earlier, wasn't read."
    if not found.keep:
        return f"{text}. Nobody approved all that such an app asks for earlier."
    who = (
        "1 user approved one earlier and keeps"
        if found.keep == 1
        else f"{found.keep} users approved one earlier and keep"
    )
    return f"{text}. {who} working until the app asks for more."


def _notes(survey: Survey) -> Points:
    """What isn't shown, where the permissions come from, and when the tenant was read."""
    return Points(tuple(map(Point, _each_note(survey))))


def _each_note(survey: Survey) -> Iterator[str]:
    left, source = survey.left_out, f" ({survey.source})" if survey.source else ""
    if left.filtered:
        yield f"{count(left.filtered, 'app')} not shown, because of the filters."
    if left.undecided:
        yield f"{count(left.undecided, 'app')} not shown, because what the filters ask for wasn't read."
    without = f"{count(left.without_access or 0, 'app')} without a permission or a user who waits"
    quiet = [
        f"{count(left.microsoft, 'app')} of Microsoft" if left.microsoft else "",
        without if left.without_access else "",
    ]
    if text := series([part for part in quiet if part]):
        yield f"Not in the survey: {text}."
    if survey.summary.own:
        yield f"{count(survey.summary.own, 'app')} that your tenant registered, which --third-party leaves out."
    if any(not _is_described(app) for app in survey.apps):
        yield "Without a pack, an app asks for what it was granted and what waits for approval; it may ask for more."
    if survey.summary.stopped:
        yield (
            f"Next: {code('consent-auditor check --app NAME')} lists what fixes one app, and"
            f" {code('consent-auditor blocked')} who was stopped."
        )
    yield f"Read: {readable_time(survey.taken)}{source}."


def _is_described(app: SurveyedApp) -> bool:
    return ScopeSource.PACK in app.scopes_from or ScopeSource.CATALOGUE in app.scopes_from


def _compact(survey: Survey, apps: Sequence[SurveyedApp], *, whole: bool) -> Grid:
    """Few columns; with `whole`, also the publisher of each app and where its scopes come from."""
    # Anybody can give an app the name of another one.
    twins = {name for name, number in Counter(map(_name, survey.apps)).items() if number > 1}
    below = (
        "; ".join(filter(None, (_publisher(app) if whole else "", app.client_id if _name(app) in twins else "")))
        for app in apps
    )
    found = (
        (_cell(_name(app), under), app, _sources(app) if whole else "") for app, under in zip(apps, below, strict=True)
    )
    if survey.assumptions:
        then = (
            (name, _cell(_state(app)), _cell(_then(app)), _cell(_why_then(app), below), _cell(_keep(app)))
            for name, app, below in found
        )
        return Grid(("App", "Now", "Then", "What stops users then", "Users with a grant"), tuple(then), prose=3)
    now = (
        (
            name,
            _cell(_users(app)),
            _cell(_why(app), below),
            *map(_cell, (_holders(app), _level(app.holds.risk), _last(app))),
        )
        for name, app, below in found
    )
    heads = ("App", "Users", "Why", "Granted", "Risk", "Last used")
    # A column in which nothing is known says nothing; that it wasn't read is said below.
    shown = len(heads) if any(app.last_sign_in is not None for app in apps) else len(heads) - 1
    return Grid(heads[:shown], tuple(tuple(row[:shown]) for row in now), prose=2)


def _complete(survey: Survey) -> Grid:
    if survey.assumptions:
        heads = ("App", "Now", "Then", "What stops users then", "Users with a grant", "Asks for", "Granted", "Risk")
        return Grid(heads, tuple(tuple(_cells_then(app)) for app in survey.apps), prose=3)
    heads_now = ("App", "Users", "Why", "Asks for", "Granted", "Risk", "Last used")
    return Grid(heads_now, tuple((*_cells_now(app), *_cells(app), _cell(_last(app))) for app in survey.apps), prose=2)


def _cell(text: str, below: str = "") -> Cell:
    """A cell on one line: names in the tenant can hold line breaks and characters that control a terminal."""
    return Cell(safe(flat(text)), below=safe(flat(below)))


def _cells_now(app: SurveyedApp) -> Iterator[Cell]:
    """The app, and whether users can connect it now."""
    yield _cell(_name(app), below=f"{_publisher(app)}; {app.client_id}")
    yield _cell(_state(app), below="; ".join(filter(None, (_people(app), _approver(app)))))
    yield _cell(_why(app), below=app.can_connect.because if app.can_connect else "")


def _cells_then(app: SurveyedApp) -> Iterator[Cell]:
    """The app, and whether users can connect it now and after the assumed change."""
    name, now, why = _cells_now(app)
    yield name
    yield _cell(now.text, below="; ".join(filter(None, (now.below, why.text))))
    yield _cell(_then(app))
    yield _cell(_why_then(app), below=app.assumed.answer.because if app.assumed else "")
    yield _cell(_keep(app))
    yield from _cells(app)


def _cells(app: SurveyedApp) -> Iterator[Cell]:
    """What the app asks for and what it holds."""
    yield _cell(_permissions(app.scopes) or "unknown", below=_sources(app))
    yield _cell(_holders(app), below=_held(app))
    yield _cell(_level(app.holds.risk), below=app.holds.risk.because if app.holds.risk else "")


def _name(app: SurveyedApp) -> str:
    marks = [
        "your own" if app.owner is AppOwner.OWN else "Microsoft's" if app.owner is AppOwner.MICROSOFT else "",
        ("known abused", "known malicious")[app.abused.malicious] if app.abused else "",
    ]
    text = ", ".join(filter(None, marks))
    name = clip(flat(app.name), NAME_WIDTH)
    return f"{name} ({text})" if text else name


def _publisher(app: SurveyedApp) -> str:
    if app.owner is AppOwner.OWN:
        return "registered in this tenant"
    if app.publisher_verified:
        return f"{app.publisher}, verified" if app.publisher else "publisher verified"
    return "publisher not verified" if app.publisher_verified is False else "publisher not known"


def _state(app: SurveyedApp) -> str:
    likely = app.can_connect is not None and app.can_connect.confidence is Confidence.LIKELY
    word = _WORDS[app.state]
    return f"{word} (likely)" if likely and app.state in (ConnectState.STOPPED, ConnectState.CONNECTS) else word


def _people(app: SurveyedApp) -> str:
    """Who waits, in a few words."""
    waiting = app.waiting
    asked = "some asked" if waiting.asking is None and SeenIn.REQUESTS in app.seen_in else ""
    parts = [
        f"{waiting.asking} {'asks' if waiting.asking == 1 else 'ask'}" if waiting.asking else asked,
        f"{waiting.failed} failed" if waiting.failed else "",
    ]
    return ", ".join(filter(None, parts))


def _approver(app: SurveyedApp) -> str:
    """Who can approve what the app asks for, with the custom roles that can."""
    if app.can_connect is None:
        return ""
    roles = app.can_connect.roles
    return _APPROVERS[app.can_connect.approver] + (f", and holders of {series(roles)}" if roles else "")


def _users(app: SurveyedApp) -> str:
    people = _people(app)
    return f"{_state(app)}: {people}" if people else _state(app)


def _why(app: SurveyedApp) -> str:
    if app.can_connect is None:
        return "it holds application permissions only"
    return _short(app.can_connect, app)


def _short(answer: ConnectAnswer, app: SurveyedApp) -> str:
    """What stops users, who approves, or what isn't known, in a few words."""
    if answer.stopped_by:
        return answer.stopped_by
    if answer.depends_on:
        # The rest of the fact, in parentheses, is in the whole sentence.
        return f"depends on {answer.depends_on[0].partition(' (')[0]}"
    if app.state is ConnectState.UNKNOWN:
        return app.not_known.get("scopes", "not everything was read")
    return _APPROVED.get(answer.approver, "")


def _then(app: SurveyedApp) -> str:
    if app.assumed is None:
        return _state(app)
    if app.assumed.stops is None:
        return "unknown"
    connects = app.assumed.answer.outcome.connects
    word = "connect" if connects else "stopped"
    return word.upper() if app.assumed.stops else word


def _why_then(app: SurveyedApp) -> str:
    return _short(app.assumed.answer, app) if app.assumed else _why(app)


def _keep(app: SurveyedApp) -> str:
    """How many users who hold a grant keep working."""
    then = app.assumed
    if then is None:
        return ""
    if then.users_keep is None or then.users_with_less is None:
        return "unknown"
    parts = [
        f"{then.users_keep} {'keeps' if then.users_keep == 1 else 'keep'} working" if then.users_keep else "",
        f"{then.users_with_less} with less" if then.users_with_less else "",
    ]
    return ", ".join(filter(None, parts)) or "nobody"


def _holders(app: SurveyedApp) -> str:
    """For whom the app holds permissions."""
    holds = app.holds
    if holds.tenant_wide is None and holds.users is None and holds.application is None:
        return "unknown"
    parts = [
        "every user" if holds.tenant_wide else "",
        "unknown users" if holds.users is None else count(holds.users, "user") if holds.users else "",
        "the app itself" if holds.application else "",
    ]
    return ", ".join(filter(None, parts)) or "nobody"


def _held(app: SurveyedApp) -> str:
    holds = app.holds
    parts = [
        f"every user: {_permissions(holds.tenant_wide)}" if holds.tenant_wide else "",
        f"single users: {_permissions(holds.by_users)}" if holds.by_users else "",
        f"the app itself: {_permissions(holds.application)}" if holds.application else "",
        "application permissions: not read" if "application" in app.not_known else "",
    ]
    return "; ".join(filter(None, parts))


def _permissions(permissions: Sequence[Permissions] | None) -> str:
    return "; ".join(
        f"{resource_label(one.resource, one.resource_name)} {_few(one.names)}" for one in permissions or ()
    )


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])} and {more} more" if more > 1 else ", ".join(names)


def _sources(app: SurveyedApp) -> str:
    """``scopes from: catalogue (thunderbird)``."""
    if not app.scopes_from:
        return app.not_known.get("scopes", "")
    named = f" ({app.pack})" if app.pack else ""
    return f"scopes from: {series([one.value for one in app.scopes_from])}{named}"


def _level(risk: Risk | None) -> str:
    if risk is None:
        return "unknown"
    return f"{risk.level.value} or more" if risk.at_least else risk.level.value


def _last(app: SurveyedApp) -> str:
    if app.last_sign_in is None:
        return "unknown"
    return app.last_sign_in[:10] or "never"
