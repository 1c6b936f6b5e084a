"""The findings as SARIF 2.1.0, for code scanning: each points at the line of the pack where its rule is written.

Source: OASIS SARIF 2.1.0, and GitHub's "SARIF support for code scanning".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import msgspec

from auditor.model.decision import Decision
from auditor.model.finding import Finding, FindingOutcome, Severity, Waiver
from auditor.model.report import PackRef, Report, UnreadPart
from auditor.render.ending import allowed_by, answer, cost, what
from auditor.render.evidence import said
from auditor.render.first import action
from auditor.render.layout import clip, safe
from auditor.render.markdown_text import harmless, link
from auditor.render.moment import moment
from auditor.render.standing import by_standing
from auditor.render.waived import waived
from auditor.render.what_if import in_short
from auditor.render.words import answer_word, counts, flat, is_path, sentence

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""``security-severity``, by which GitHub sorts: 9 and above is critical, 7 high, 4 medium."""
_KINDS = {
    FindingOutcome.FAIL: "fail",
    FindingOutcome.WAIVED: "fail",
    FindingOutcome.UNKNOWN: "open",
    FindingOutcome.PASS: "pass",
    FindingOutcome.NOT_APPLICABLE: "notApplicable",
}
_WANTING = (FindingOutcome.FAIL, FindingOutcome.WAIVED, FindingOutcome.UNKNOWN)
_ROOT = "%SRCROOT%"
_ELSEWHERE = "packs-elsewhere"
_ANY_APP = "vendor-app"
"""The pack that is applied to an app without a pack of its own: which app it is about is not in its name."""
_NOT_READ = "not-read"
_MOST_TAGS = 10
"""GitHub reads no more of them."""
_SHORT = 1000
"""Characters of a description on GitHub are 1,024."""


def render(report: Report, *, passed: bool = False, places: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """One run with a result for each rule that failed, was waived (suppressed) or is unknown (kind ``open``).

    With `passed`, those that passed or do not apply are results, too. GitHub shows every result as an alert, whatever
    its kind (microsoft/PSRule issue 955), so they are left out otherwise. Decisions are no results of their own: what
    they mean for a pack is its rule VENDOR-CONNECT, and without a pack there is no line to point at. All of them
    are in the properties of the run.

    `places` tells where files of packs lie below the root of the repository, by the names that the report has for
    them: empty for one that lies elsewhere. A file that is not among them lies where the report says.
    """
    told = by_standing(report.findings, *(FindingOutcome if passed else _WANTING))
    numbers: dict[str, int] = {}
    for finding in report.findings:
        numbers.setdefault(_id(finding), len(numbers))
    first = {_id(finding): finding for finding in reversed(report.findings)}
    run = {
        "tool": _tool(report, [_rule(first[rule]) for rule in numbers]),
        "automationDetails": {"id": _category(report)},
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that the packs' files are told from."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[_id(finding)], places) for finding in told],
        "properties": _about(report),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _text(text: str) -> str:
    """Text on one line in which no viewer finds a link: ``[x](y)`` is one in SARIF's plain messages, too."""
    return safe(flat(text)).replace("](", "] (")


def _message(text: str) -> str:
    """Text for a message or a description, where ``{0}`` would be a placeholder: its braces are doubled (3.11.5)."""
    return _text(text).replace("{", "{{").replace("}", "}}")


def _category(report: Report) -> str:
    """What an upload to GitHub replaces: the alerts of the same tenant by the same packs, and no others."""
    packs = sorted({f"{p.name}:{p.client_id}" if p.name == _ANY_APP else p.name for p in report.packs})
    told = (report.tenant.id, *(["+".join(packs)] if packs else []))
    return "/".join(("consent-auditor", *(quote(safe(part), safe=":+") for part in told), ""))


def _id(finding: Finding) -> str:
    """The same rule may be in several packs."""
    return f"{_text(finding.pack)}/{_text(finding.rule)}"


def _tool(report: Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    name, _, version = _text(report.tool).partition(" ")
    driver = {
        "name": name or "consent-auditor",
        **({"version": version} if version else {}),
        "rules": rules,
        "notifications": [
            {"id": _NOT_READ, "shortDescription": {"text": "A part of the tenant could not be read."}},
        ],
    }
    # Each once, which the schema wants: two packs may differ in the app alone.
    return {"driver": driver, "extensions": [_pack(*key) for key in dict.fromkeys(map(_key, report.packs))]}


def _key(pack: PackRef) -> tuple[str, str, str]:
    return _text(pack.name), _text(pack.version), _text(pack.digest)


def _pack(name: str, version: str, digest: str) -> dict[str, Any]:
    return {"name": name, "version": version, "properties": {"digest": digest}}


def _rule(finding: Finding) -> dict[str, Any]:
    title, why = _text(finding.title.rstrip(".")), _text(sentence(flat(finding.why)))
    tags = ["security", "consent", finding.pack, *(f"{name} {number}" for name, number in finding.frameworks.items())]
    score = {"security-severity": _SCORES[finding.severity]} if finding.severity in _SCORES else {}
    rule = {
        "id": _id(finding),
        "shortDescription": {"text": _message(clip(title, _SHORT) or _id(finding))},
        "fullDescription": {"text": _message(clip(why or title, _SHORT) or _id(finding))},
        "help": _help(finding, title, why),
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "tags": list(dict.fromkeys(map(_text, tags)))[:_MOST_TAGS],
            "problem.severity": {"note": "recommendation"}.get(_LEVELS[finding.severity], _LEVELS[finding.severity]),
            **score,
        },
    }
    page = next((address for address in finding.references if address.startswith("https://")), "")
    return rule | ({"helpUri": quote(safe(page), safe=":/?#[]@!$&'()*+,;=%~")} if page else {})


def _help(finding: Finding, title: str, why: str) -> dict[str, str]:
    """What the rule's author says, as text and as Markdown."""
    advice = finding.remediation
    note = sentence(flat(advice.note))
    steps = [action(finding)] if is_path(advice.portal) else [sentence(flat(step)) for step in advice.portal]
    plain = [f"{title}.", why, note, *steps, advice.link, advice.role and f"Role: {sentence(advice.role)}"]
    marked = [
        f"**{harmless(title) or '-'}**",
        harmless(why),
        harmless(note),
        "\n".join(f"{number}. {harmless(step)}" for number, step in enumerate(steps, start=1)),
        link(advice.link) if advice.link else "",
        f"Role: {harmless(sentence(advice.role))}" if advice.role else "",
        "\n".join(f"- {link(address)}" for address in finding.references),
    ]
    return {
        "text": "\n".join(_message(line) for line in (*plain, *finding.references) if line),
        "markdown": "\n\n".join(filter(None, marked)).replace("{", "{{").replace("}", "}}"),
    }


def _result(finding: Finding, index: int, places: Mapping[str, str]) -> dict[str, Any]:
    outcome = finding.outcome
    kind = _KINDS[outcome]
    unknown = "Unknown: " if outcome is FindingOutcome.UNKNOWN else ""
    result = {
        "ruleId": _id(finding),
        "ruleIndex": index,
        "kind": kind,
        # Anything but a failure has no level (3.27.10).
        "level": _LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": _message(unknown + (sentence(finding.reason) or finding.title or _id(finding)))},
        "locations": [_location(finding, places)],
        # The first key is the only one that GitHub compares: with it, an alert outlives changes of the pack's file.
        "partialFingerprints": {
            "primaryLocationLineHash": _fingerprint(finding),
            "consentAuditor/v1": _fingerprint(finding),
        },
        "properties": {
            "outcome": outcome.value,
            "severity": finding.severity.value,
            "pack": _text(finding.pack),
            "evidence": [safe(said(one)) for one in finding.evidence],
        },
    }
    if outcome is FindingOutcome.WAIVED:
        result["suppressions"] = [_suppression(waiver) for waiver in finding.waivers]
    return result


def _suppression(waiver: Waiver) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": _text(waived(waiver))}


def _fingerprint(finding: Finding) -> str:
    """The same in every run, and another for the same rule of another pack, such as that of a vendor's other region."""
    return f"{_text(finding.fingerprint)}/{_text(finding.pack)}"


def _location(finding: Finding, places: Mapping[str, str]) -> dict[str, Any]:
    """The rule's line. GitHub refuses a file in which one result has none: without one, the pack's name stands in.

    A pack of which only the name is known gets an address that no file of the repository has, and no base.
    """
    file, line = (finding.place.file, finding.place.line) if finding.place else (finding.pack, 1)
    inside = places.get(file, file).lstrip("/") or ("" if file in places else "rules")
    address = quote(safe(inside or f"{_ELSEWHERE}/{file}"), safe="/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": address, **({"uriBaseId": _ROOT} if inside else {})},
            "region": {"startLine": max(line, 1)},
        }
    }


def _invocation(report: Report) -> dict[str, Any]:
    """The audit was made, or there were no report; what it could not read is told, so that no silence is a pass."""
    taken = moment(report.taken)
    return {
        "executionSuccessful": True,
        **({"startTimeUtc": taken.strftime("%Y-%m-%dT%H:%M:%SZ")} if taken and taken.year >= 1000 else {}),
        "toolExecutionNotifications": [_notification(part) for part in report.unread],
    }


def _notification(part: UnreadPart) -> dict[str, Any]:
    needs = f"Allowed by: {allowed_by(part)}" if part.needs else ""
    lost = f"Not known: {cost(part.needs)}" if cost(part.needs) else ""
    whole = (f"{what(part)} ({part.section}) could not be read.", answer(part), needs, lost)
    return {
        "descriptor": {"id": _NOT_READ, "index": 0},
        "level": "warning",
        "message": {"text": _message(" ".join(filter(None, whole)))},
    }


def _about(report: Report) -> Mapping[str, Any]:
    return {
        "tenant": {"id": _text(report.tenant.id), "name": _text(report.tenant.name)},
        "answer": _text(report.summary.answer),
        "rules": _text(counts(report.summary)),
        "answers": [_decision(decision) for decision in report.decisions],
        **({"ifItWereSo": list(map(_text, in_short(report)))} if report.what_if else {}),
    }


def _decision(decision: Decision) -> dict[str, str]:
    return {
        "app": _text(decision.app.name),
        "clientId": _text(decision.app.client_id),
        **({"variant": _text(decision.app.variant)} if decision.app.variant else {}),
        "subject": _text(decision.subject),
        "outcome": decision.outcome.value,
        "confidence": decision.confidence.value,
        "answer": _text(answer_word(decision)),
        "because": _text(sentence(decision.because)),
    }
