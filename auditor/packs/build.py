"""The form of a pack → the model: defaults filled in, names of resources turned into app ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import UNSET, UnsetType

from auditor.model.app import App, ScopeNeed
from auditor.model.finding import FindingOutcome, Remediation
from auditor.model.rule import Case, Pack, Rule
from auditor.model.scope_lists import RESOURCES
from auditor.packs.forms import AppForm, CaseForm, FixForm, PackForm, RuleForm, ScopeForm


def pack_of(form: PackForm, digest: str, origin: str, warnings: tuple[str, ...] = ()) -> Pack:
    """The pack that the form describes."""
    return Pack(
        name=form.pack,
        version=form.version,
        title=form.title,
        about=form.about,
        extends=form.extends,
        abstract=form.abstract,
        app=None if isinstance(form.app, UnsetType) else app_of(form.app),
        rules=tuple(map(rule_of, form.rules)),
        references=form.references,
        digest=digest,
        origin=origin,
        warnings=warnings,
    )


def app_of(form: AppForm) -> App:
    """The app; what the pack calls unknown is ``None``."""
    return App(
        client_id=form.client_id.lower(),
        name=form.name,
        redirect_uris=form.redirect_uris,
        mode=form.request,
        prompt_consent=form.prompt_consent,
        authority=form.authority,
        scopes=tuple(_scopes(form)),
        publisher_verified=_known(form.publisher_verified),
        owner_tenant=None if form.owner_tenant == "unknown" else form.owner_tenant.lower(),
        registered_before_2020_11_08=_known(form.registered_before_2020_11_08),
    )


def rule_of(form: RuleForm) -> Rule:
    """The rule."""
    return Rule(
        id=form.id,
        title=form.title,
        severity=form.severity,
        why=form.why,
        view=form.view,
        check=form.check,
        fix=_fix(form.fix),
        routes=form.routes,
        references=form.references,
        frameworks=form.frameworks,
        cases=tuple(map(_case, form.cases)),
    )


def _scopes(form: AppForm) -> Iterator[ScopeNeed]:
    for key, listed in form.scopes.items():
        for item in listed:
            one = ScopeForm(scope=item) if isinstance(item, str) else item
            assumed = form.assumed if one.assumed is UNSET else bool(one.assumed)
            source = form.source if one.source is UNSET else str(one.source)
            yield ScopeNeed(
                resource=RESOURCES.get(key, key.lower()),
                value=one.scope,
                required=one.required,
                assumed=assumed,
                source=source,
            )


def _known(value: bool | Literal["unknown"]) -> bool | None:
    return None if value == "unknown" else bool(value)


def _fix(form: FixForm) -> Remediation:
    return Remediation(portal=form.portal, link=form.link, role=form.role, note=form.note)


def _case(form: CaseForm) -> Case:
    return Case(
        name=form.name,
        sample=form.sample,
        expect=FindingOutcome(form.expect),
        set=form.set,
        unread=form.unread,
        whole=form.whole,
        reason=form.reason,
        evidence=form.evidence,
    )
