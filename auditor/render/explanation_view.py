"""An explanation as a document for people: the tenant's answer first, then what each code means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.model.document import (
    Block,
    Cell,
    Document,
    FactList,
    Heading,
    Links,
    Paragraph,
    Point,
    Points,
    Title,
    code,
    count,
    series,
)
from auditor.model.explanation import ExplainedCause, ExplainedCode, Explanation, TenantAnswer, TextKind
from auditor.render.explanation import FIXERS
from auditor.render.labels import OUTCOMES, readable_time

_ON_SCREEN = 2
"""Codes that one screen of text explains."""
_PERHAPS = 4
"""Explanations of a difference that one screen of text has."""


def tone(explanation: Explanation) -> str:
    """The tone of the answer."""
    says = explanation.tenant_says
    if says is not None:
        return OUTCOMES[says.outcome].style if says.outcome else "unsure"
    return "good" if explanation.text.kind is TextKind.CONNECTED else "unsure"


def screen(explanation: Explanation) -> Document:
    """For a terminal: of the sources only the names, and of many codes the first in full."""
    return tuple(_blocks(explanation, whole=False))


def document(explanation: Explanation) -> Document:
    """Everything, for Markdown and HTML."""
    return tuple(_blocks(explanation, whole=True))


def _blocks(explanation: Explanation, *, whole: bool) -> Iterator[Block]:
    yield Title(_title(explanation))
    yield Paragraph(_answer(explanation))
    says = explanation.tenant_says
    if says is not None:
        is_access = any(one.topic == "access" for one in explanation.codes)
        yield from _tenant(says, "Consent" if is_access else "Answer", whole=whole)
    yield from _notes(explanation)
    yield from _codes(explanation, whole=whole)
    if whole or says is None or says.app is None:
        yield from _said(explanation)
    yield from _next(explanation, whole=whole)


def _codes(explanation: Explanation, *, whole: bool) -> Iterator[Block]:
    """Every code, and on one screen the first in full."""
    has_tenant = explanation.tenant_says is not None
    codes = explanation.codes if whole else explanation.codes[:_ON_SCREEN]
    for one in codes:
        if whole or not has_tenant:
            is_title = not (has_tenant or explanation.request_faults) and one is explanation.codes[0]
            yield from _code(one, whole=whole, is_title=is_title)
        else:
            yield from _code_in_tenant(one)
    for one in explanation.codes[len(codes) :]:
        yield Paragraph(f"{one.code}: {one.title or f'not in the table; {one.look_up}'}")


_KINDS = {TextKind.CONNECTED: "A sign-in that succeeded", TextKind.SIGN_IN_ADDRESS: "A sign-in address"}


def _title(explanation: Explanation) -> str:
    says, codes = explanation.tenant_says, explanation.codes
    kind = _KINDS.get(explanation.text.kind, "A sign-in")
    if says is not None:
        where = says.tenant.name or says.tenant.id or "this tenant"
        return f"{series([one.code for one in codes][:3]) or kind} in {where}"
    if codes and not explanation.request_faults:
        first = codes[0]
        return f"{first.code}: {first.title}" if first.known and first.title != first.code else first.code
    return kind


def _answer(explanation: Explanation) -> str:
    says, facts = explanation.tenant_says, explanation.text
    if says is not None:
        return says.says
    if faults := explanation.request_faults:
        why = f"{faults[0]}; see the list below" if len(faults) > 1 else faults[0]
        return f"Entra refuses this address: {why}."
    if explanation.codes:
        return _meaning(explanation.codes[0])
    if facts.kind is TextKind.CONNECTED:
        return (
            "This is the address to which Microsoft sends the browser after it succeeded: a sign-in, or an"
            " administrator's consent. It holds no error. If the app still doesn't work, ask its vendor with the time"
            " of the attempt."
        )
    app = explanation.app.name or f"the app {explanation.app.client_id}" if explanation.app else "an app"
    asks = f" for {series(facts.scopes)}" if facts.scopes else ""
    return f"This address asks users, or an administrator, to consent to {app}{asks}. It holds no error."


def _meaning(one: ExplainedCode) -> str:
    if one.known:
        return one.meaning
    near = f" Is it {series(one.similar, 'or')}?" if one.similar else ""
    return f"This program doesn't know {one.code}.{near} Microsoft explains it, if it exists, at {one.look_up}"


# ---- The tenant -----------------------------------------------------------------------------------------------------


def _tenant(says: TenantAnswer, label: str, *, whole: bool) -> Iterator[Block]:
    rows = [("Because", Cell(says.because))] if says.because else []
    if says.screen:
        rows.append(("User sees", Cell(says.screen)))
    if says.setting is not None:
        value = f": {says.setting_value}" if says.setting_value else ""
        rows.append(("Setting", Cell(f"{says.setting.label}{value}")))
    if says.outcome is not None:
        words = OUTCOMES[says.outcome]
        rows.insert(0, (label, Cell(f"{words.word}. {words.means}{_likely(says)}")))
    if says.fix is not None:
        rows += [
            ("Fix", Cell(says.fix.title)),
            ("Role", Cell(says.fix.role)),
        ]
        if says.fix.link:
            rows.append(("Link", Cell(says.fix.link, says.fix.link)))
    if says.scopes_from:
        rows.append(("Permissions", Cell(f"decided with {says.scopes_from}")))
    rows.append(("Read", Cell(readable_time(says.taken))))
    yield FactList(tuple(rows))
    if says.depends_on and whole:
        yield Paragraph("It depends on:")
        yield _list(says.depends_on)
    if says.perhaps:
        yield Heading("What the difference can mean, the likeliest first")
        yield _list(says.perhaps if whole else says.perhaps[:_PERHAPS])
    yield from _log(says)


def _likely(says: TenantAnswer) -> str:
    return " This is likely, not certain." if says.confidence == "likely" else ""


def _log(says: TenantAnswer) -> Iterator[Block]:
    if says.log:
        yield Heading("In the sign-in log")
        yield _list(
            f"{readable_time(one.at)}: {one.user or 'an unknown user'} at {one.app or one.client_id},"
            f" {f'AADSTS{one.code}' if one.code else 'no error'}{f', {one.reason}' if one.reason else ''}"
            for one in says.log
        )
    elif says.log_unread:
        yield Paragraph(says.log_unread)


def _list(texts: Iterable[str]) -> Points:
    return Points(tuple(map(Point, texts)))


# ---- The text and the codes -----------------------------------------------------------------------------------------


def _said(explanation: Explanation) -> Iterator[Block]:
    facts, app = explanation.text, explanation.app
    rows = (
        ("App", f"{app.name or 'not known by name'} ({app.client_id})" if app else facts.app_name),
        ("Service", facts.resource),
        ("Permissions", series(facts.scopes) if explanation.codes else ""),
        ("User", facts.user),
        ("Tenant", facts.tenant),
        ("Time", readable_time(facts.at) if facts.at else ""),
        ("Correlation ID", series(facts.correlation_ids)),
        ("Trace ID", facts.trace_id),
    )
    shown = tuple((name, Cell(value)) for name, value in rows if value)
    if shown and facts.kind is not TextKind.CODE:
        yield Heading("What the text says")
        yield FactList(shown)


def _notes(explanation: Explanation) -> Iterator[Block]:
    if len(explanation.request_faults) > 1:
        yield Heading("Mistakes in the address")
        yield _list(f"{text[0].upper()}{text[1:]}." for text in explanation.request_faults)
    if explanation.text.has_secret:
        yield Paragraph(
            "Careful: the text holds a code or token that signs somebody in. It isn't shown here. Don't send the text"
            " to anybody."
        )


def _code_in_tenant(one: ExplainedCode) -> Iterator[Block]:
    """In short, because the tenant's answer comes before it: the meaning, and the cause that the tenant shows."""
    yield Heading(f"{one.code}: {one.title}" if one.known and one.title != one.code else one.code)
    yield Paragraph(_meaning(one))
    here = [cause for cause in one.causes if cause.here] or [cause for cause in one.causes if cause.here is None]
    if here:
        yield Points(tuple(Point(_cause(cause, one)) for cause in here))
    elif one.causes:
        yield Paragraph("None of its usual causes is there.")


def _code(one: ExplainedCode, *, whole: bool, is_title: bool) -> Iterator[Block]:
    if not is_title:
        yield Heading(f"{one.code}: {one.title}" if one.known and one.title != one.code else one.code)
        yield Paragraph(_meaning(one))
    if not one.causes:
        return
    who = FIXERS[one.fixer] if one.fixer else ""
    name = (("Microsoft's name", Cell(one.name)),) if one.name and whole else ()
    yield FactList((("User sees", Cell(one.screen)), ("Who can fix it", Cell(who)), *name))
    yield Paragraph(f"Usual causes, the most usual first{_which_is_checked(one)}:")
    yield Points(tuple(Point(_cause(cause, one)) for cause in one.causes))
    if one.inferred:
        yield Paragraph("The text has no code; its words, or the request in it, belong to this one.")
    yield from _sources(one, whole=whole)


def _which_is_checked(one: ExplainedCode) -> str:
    if not any(cause.check for cause in one.causes):
        return " (this program can check none of them)"
    return "" if any(not cause.check for cause in one.causes) else " (this program can check each)"


def _cause(cause: ExplainedCause, one: ExplainedCode) -> str:
    here = {True: "HERE: ", False: "Not here: ", None: ""}[cause.here]
    who = f" ({FIXERS[cause.fixer]})" if cause.fixer is not one.fixer else ""
    some = any(other.check for other in one.causes)
    check = " (can't be checked)" if some and not cause.check else ""
    return f"{here}{cause.why}{who}{check}"


def _sources(one: ExplainedCode, *, whole: bool) -> Iterator[Block]:
    names = [f"{source.title}{f' ({source.date})' if source.date else ''}" for source in one.source]
    reported = (
        "Reported, not documented by Microsoft: " if any(source.reported for source in one.source) else "Source: "
    )
    if names:
        yield Paragraph(f"{reported}{'; '.join(names)}.")
    if whole and (urls := tuple(source.url for source in one.source if source.url)):
        yield Links(urls)


def _next(explanation: Explanation, *, whole: bool) -> Iterator[Block]:
    says = explanation.tenant_says
    if says is not None:
        if says.more_fixes and whole:
            yield Heading("Other fixes")
            yield _list(says.more_fixes)
        everything = "" if whole else f"{code('--details')} shows all causes and sources."
        more = count(len(says.more_fixes), "other fix", "other fixes")
        also = f" lists {more}, and" if says.more_fixes else ""
        check = f"{code('consent-auditor check')}{also} has the steps, the commands and what a fix opens."
        if text := " ".join(filter(None, (everything, check if says.fix else ""))):
            yield Paragraph(text)
        return
    if not explanation.codes and explanation.text.kind is TextKind.SIGN_IN_ADDRESS:
        yield Paragraph(f"To find out what users see in a tenant, add {code('--snapshot FILE')} or {code('--live')}.")
    checks = list(dict.fromkeys(cause.check for one in explanation.codes for cause in one.causes if cause.check))
    if checks:
        app = "" if explanation.app else f" and {code('--app NAME')}"
        yield Paragraph(
            f"To find out which it is in a tenant, add {code('--snapshot FILE')} or {code('--live')}{app}. This program"
            f" then reads: {'; '.join(checks)}."
        )
