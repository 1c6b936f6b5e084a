"""What each code of a text means: from the table, and with a decision which of its usual causes is the one here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.explain.pasted_text import FoundCode, similar_codes
from auditor.facts.sign_in_codes import (
    LOOK_UP,
    Cause,
    SignInCode,
    checks,
    error_names,
    pages_about,
    pages_read,
    sign_in_codes,
)
from auditor.model.decision import Confidence, Decision, Outcome, Reason
from auditor.model.explanation import CodeSource, ExplainedCause, ExplainedCode


def meanings(found: Iterable[FoundCode], decision: Decision | None = None) -> tuple[ExplainedCode, ...]:
    """Every code with its meaning. The name of an error is followed by the code that usually is behind it.

    With a `decision` on the app of the text, each cause that it settles says whether it's the one here.
    """
    explained: dict[str, ExplainedCode] = {}
    for one in found:
        for code in _meaning(one, decision):
            explained.setdefault(code.code, code)
    return tuple(explained.values())


def _meaning(found: FoundCode, decision: Decision | None) -> Iterator[ExplainedCode]:
    if found.code in (known := sign_in_codes()):
        yield _of_code(found, known[found.code], decision)
    elif (name := error_names().get(found.code)) is not None:
        yield ExplainedCode(code=found.code, title=found.code, meaning=name.means, topic="error name", inferred=True)
        if name.code:
            yield _of_code(FoundCode(name.code, inferred=True), known[name.code], decision)
    else:
        look_up = LOOK_UP.format(code=found.code)
        similar = tuple(f"AADSTS{code}" for code in similar_codes(found.code))
        yield ExplainedCode(code=f"AADSTS{found.code}", known=False, look_up=look_up, similar=similar)


def _of_code(found: FoundCode, one: SignInCode, decision: Decision | None) -> ExplainedCode:
    return ExplainedCode(
        code=f"AADSTS{found.code}",
        name=one.name,
        title=one.title,
        meaning=one.means,
        screen=one.sees,
        fixer=one.fixer,
        topic=one.topic,
        causes=tuple(
            ExplainedCause(
                why=cause.why,
                fixer=cause.fixer or one.fixer,
                check=checks()[cause.check].what if cause.check else "",
                here=is_here(cause, decision),
            )
            for cause in one.causes
        ),
        source=tuple(_sources(one)),
        look_up=LOOK_UP.format(code=found.code),
        inferred=found.inferred,
    )


def _sources(one: SignInCode) -> Iterator[CodeSource]:
    for page in pages_about(one):
        yield CodeSource(title=page.title, url=page.url, date=page.date, read=pages_read())
    if one.reported:
        yield CodeSource(title=one.reported, read=pages_read(), reported=True)


_ORDER = (
    *(Reason.REQUEST_REFUSED, Reason.APP_DEACTIVATED, Reason.APP_DISABLED_BY_MICROSOFT, Reason.APP_DISABLED_IN_TENANT),
    *(Reason.NEEDED_APP_MISSING, Reason.RESOURCE_MISSING, Reason.RESOURCE_DISABLED, Reason.REDIRECT_URI_NOT_REGISTERED),
    *(Reason.SCOPE_DOES_NOT_EXIST, Reason.SCOPE_DISABLED, Reason.NOT_ASSIGNED, Reason.ASSIGNMENT_REQUIRED),
    Reason.USER_CONSENT_DISABLED,
)
"""The reasons in the order in which a decision looks for them: those before the one that it found aren't there."""


def is_here(cause: Cause, decision: Decision | None) -> bool | None:
    """Whether the decision says that this is the cause, or that it isn't; none if it doesn't settle that."""
    if decision is None or not cause.reasons:
        return None
    blocked = {one.reason for one in decision.required_scopes if one.verdict.value == "blocked"}
    if decision.outcome is not Outcome.DEPENDS and {decision.reason, *blocked} & set(cause.reasons):
        return True
    if decision.confidence is not Confidence.CERTAIN or decision.outcome is Outcome.DEPENDS:
        return None
    if decision.outcome.connects:
        return False
    before = _ORDER.index(decision.reason) if decision.reason in _ORDER else len(_ORDER)
    return False if set(cause.reasons) <= set(_ORDER[:before]) else None
