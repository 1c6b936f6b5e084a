"""Render a survey of apps as bytes: text, JSON, Markdown, HTML and CSV. Each format imports only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.survey import Permissions, Survey, SurveyedApp
from auditor.render.document_json import json_bytes, json_schema

CSV_COLUMNS = (
    *("app", "client_id", "owner", "state", "outcome", "confidence", "stopped_by", "because", "code", "approver"),
    *("asking", "failed_sign_ins", "error_codes", "asks_for", "scopes_from", "pack", "tenant_wide", "users_with_grant"),
    *("by_users", "application_permissions", "risk", "risk_because", "last_sign_in", "publisher", "publisher_verified"),
    *("in_tenant", "enabled", "known_abused", "seen_in", "then_outcome", "then_stops", "then_because", "users_keep"),
    *("users_with_less", "not_known", "predictions_agree", "predictions_disagree", "predictions_cannot_tell"),
)


def as_text(survey: Survey, *, width: int = 100, colour: bool = False, whole: bool = True) -> bytes:
    """For a terminal; without `whole`, one screen of it."""
    from auditor.render import documents
    from auditor.render.survey_view import screen

    return documents.as_text(screen(survey, whole=whole), width=width, colour=colour).encode()


def as_json(survey: Survey) -> bytes:
    """``consent-auditor/apps-survey``, version 1."""
    return json_bytes(survey)


def as_markdown(survey: Survey) -> bytes:
    """For an issue, a wiki or a message."""
    from auditor.render import documents
    from auditor.render.survey_view import document

    return documents.as_markdown(document(survey)).encode()


def as_html(survey: Survey) -> bytes:
    """One page without scripts."""
    from auditor.render.html.document_page import render
    from auditor.render.survey_view import document, tone

    return render(document(survey), tone=tone(survey)).encode()


def as_csv(survey: Survey) -> bytes:
    """One row for each app, for a spreadsheet."""
    from auditor.render.csv import rows_as_csv

    return rows_as_csv(CSV_COLUMNS, ((*_row(app), *_compared(survey, app)) for app in survey.apps))


def _row(app: SurveyedApp) -> Iterator[str | int | bool | None]:
    answer, holds, waiting, then = app.can_connect, app.holds, app.waiting, app.assumed
    yield from (app.name, app.client_id, app.owner.value, app.state.value)
    if answer:
        yield from (answer.outcome.value, answer.confidence.value, answer.stopped_by, answer.because, answer.code)
        yield answer.approver.value
    else:
        yield from [""] * 6
    yield from (waiting.asking, waiting.failed, " ".join(map(str, waiting.codes)))
    yield from (_names(app.scopes), " ".join(app.scopes_from), app.pack)
    yield from (_names(holds.tenant_wide), holds.users, _names(holds.by_users), _names(holds.application))
    if holds.risk:
        yield from (f"{holds.risk.level}{' or more' if holds.risk.at_least else ''}", holds.risk.because)
    else:
        yield from ("", "")
    yield from ("never" if app.last_sign_in == "" else app.last_sign_in, app.publisher, app.publisher_verified)
    abused = ("legitimate", "malicious")[app.abused.malicious] if app.abused else ""
    yield from (app.in_tenant, app.enabled, abused, " ".join(app.seen_in))
    if then:
        yield from (then.answer.outcome.value, then.stops, then.answer.because, then.users_keep, then.users_with_less)
    else:
        yield from [""] * 5
    yield "; ".join(f"{name}: {why}" for name, why in app.not_known.items())


def _compared(survey: Survey, app: SurveyedApp) -> tuple[int | None, ...]:
    """How many decisions for users of the app agree with the logs, disagree, or can't be compared."""
    if survey.comparison is None:
        return None, None, None
    found = next((one for one in survey.comparison.apps if one.app.client_id == app.client_id.lower()), None)
    if found:
        return found.agrees, found.disagrees, found.cannot_tell
    return (None, None, None) if survey.comparison.not_read else (0, 0, 0)


def _names(permissions: Iterable[Permissions] | None) -> str:
    """``Microsoft Graph: Mail.Read Mail.Send; …``."""
    return "; ".join(f"{one.resource_name}: {' '.join(one.names)}" for one in permissions or ())


FORMATS: Mapping[str, Callable[[Survey], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_survey(survey: Survey, form: str) -> bytes:
    """The survey in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](survey)


def schema() -> dict[str, Any]:
    """The JSON Schema of a survey. It requires every key, because each is always written, and allows further ones."""
    return json_schema(Survey)
