"""The findings as SARIF 2.1.0, for code scanning: each points to the line of the pack that defines its rule.

Source: OASIS SARIF 2.1.0, and GitHub's "SARIF support for code scanning".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import msgspec

from auditor.model.decision import Decision
from auditor.model.document import parse_time, sentence, utc_text
from auditor.model.report import Finding, PackRef, Report, UnreadPart
from auditor.model.rule import FindingOutcome, Severity
from auditor.render.fix_view import first_step
from auditor.render.labels import answer_word, counts, flat, is_click_path, plain_sentence, unread_text
from auditor.render.markdown_text import harmless, link
from auditor.render.report_view import evidence_text, waiver_sentence, what_if_sentences, with_outcome
from auditor.render.text_layout import clip, safe

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
_NEEDING_ATTENTION = (FindingOutcome.FAIL, FindingOutcome.WAIVED, FindingOutcome.UNKNOWN)
_ROOT = "%SRCROOT%"
_ELSEWHERE = "packs-elsewhere"
_ANY_APP = "vendor-app"
"""The pack for an app that has no pack; its name doesn't say which app."""
_NOT_READ = "not-read"
_MOST_TAGS = 10
"""GitHub reads no more tags."""
_SHORT = 1000
"""Characters of a description; GitHub allows 1,024."""


def render(report: Report, *, passed: bool = False, places: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """One run with a result for each rule that failed, was waived (suppressed) or is unknown (kind ``open``).

    With `passed`, rules that passed or don't apply are results too. Without it they are left out, because GitHub shows
    every result as an alert, whatever its kind (microsoft/PSRule issue 955). Decisions aren't results: the rule
    VENDOR-CONNECT of a pack says the same, and without a pack there is no line to point to. The properties of the run
    hold all of them.

    `places` maps the report's names for the files of packs to their paths below the root of the repository; the path
    of a file outside of it is empty. A file that isn't in the map is where the report says.
    """
    shown = with_outcome(report.findings, *(FindingOutcome if passed else _NEEDING_ATTENTION))
    numbers: dict[str, int] = {}
    for finding in report.findings:
        numbers.setdefault(_id(finding), len(numbers))
    first = {_id(finding): finding for finding in reversed(report.findings)}
    run = {
        "tool": _tool(report, [_rule(first[rule]) for rule in numbers]),
        "automationDetails": {"id": _category(report)},
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The folder that the paths of the packs are relative to."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[_id(finding)], places) for finding in shown],
        "properties": _about(report),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _text(text: str) -> str:
    """Text on one line without links: ``[x](y)`` is a link even in SARIF's plain messages."""
    return safe(flat(text)).replace("](", "] (")


def _message(text: str) -> str:
    """Text for a message or description. Its braces are doubled, because ``{0}`` is a placeholder (3.11.5)."""
    return _text(text).replace("{", "{{").replace("}", "}}")


def _category(report: Report) -> str:
    """The category of an upload to GitHub, which replaces the alerts for the same tenant and packs, and no others."""
    packs = sorted({f"{p.name}:{p.client_id}" if p.name == _ANY_APP else p.name for p in report.packs})
    parts = (report.tenant.id, *(["+".join(packs)] if packs else []))
    return "/".join(("consent-auditor", *(quote(safe(part), safe=":+") for part in parts), ""))


def _id(finding: Finding) -> str:
    """The rule's ID with its pack, because several packs can have the same rule."""
    return f"{_text(finding.pack)}/{_text(finding.rule)}"


def _tool(report: Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    name, _, version = _text(report.tool).partition(" ")
    driver = {
        "name": name or "consent-auditor",
        **({"version": version} if version else {}),
        "rules": rules,
        "notifications": [
            {"id": _NOT_READ, "shortDescription": {"text": "A part of the tenant couldn't be read."}},
        ],
    }
    # The schema requires unique items, and two packs can differ only in the app.
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
    """The advice of the rule's author, as text and as Markdown."""
    advice = finding.remediation
    note = sentence(flat(advice.note))
    steps = [first_step(finding)] if is_click_path(advice.portal) else [sentence(flat(step)) for step in advice.portal]
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
        # Only a failure has a level (3.27.10).
        "level": _LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": _message(unknown + (plain_sentence(finding.reason) or finding.title or _id(finding)))},
        "locations": [_location(finding, places)],
        # GitHub compares only the first key, which keeps an alert open when the pack's file changes.
        "partialFingerprints": {
            "primaryLocationLineHash": _fingerprint(finding),
            "consentAuditor/v1": _fingerprint(finding),
        },
        "properties": {
            "outcome": outcome.value,
            "confidence": finding.confidence.value,
            "severity": finding.severity.value,
            "pack": _text(finding.pack),
            "evidence": [safe(evidence_text(one)) for one in finding.evidence],
        },
    }
    if outcome is FindingOutcome.WAIVED:
        # SARIF requires different suppressions; several waivers can give the same one.
        sentences = dict.fromkeys(_text(waiver_sentence(waiver)) for waiver in finding.waivers)
        result["suppressions"] = [_suppression(sentence) for sentence in sentences]
    return result


def _suppression(sentence: str) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": sentence}


def _fingerprint(finding: Finding) -> str:
    """The same in every run, but different for the same rule in another pack, for example of another region."""
    return f"{_text(finding.fingerprint)}/{_text(finding.pack)}"


def _location(finding: Finding, places: Mapping[str, str]) -> dict[str, Any]:
    """The rule's line; if it isn't known, the pack's name, because GitHub refuses a file with a result without one.

    A pack of which only the name is known gets a path that no file in the repository has, and no base.
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
    """The run, which succeeded because there is a report. It lists what couldn't be read: silence isn't a pass."""
    taken = parse_time(report.taken)
    return {
        "executionSuccessful": True,
        **({"startTimeUtc": utc_text(taken)} if taken else {}),
        "toolExecutionNotifications": [_notification(part) for part in report.unread],
    }


def _notification(part: UnreadPart) -> dict[str, Any]:
    return {
        "descriptor": {"id": _NOT_READ, "index": 0},
        "level": "warning",
        "message": {"text": _message(unread_text(part).in_one_line(part.section))},
    }


def _about(report: Report) -> Mapping[str, Any]:
    return {
        "tenant": {"id": _text(report.tenant.id), "name": _text(report.tenant.name)},
        "answer": _text(report.summary.answer),
        "rules": _text(counts(report.summary)),
        "answers": [_decision(decision) for decision in report.decisions],
        **({"ifItWereSo": list(map(_text, what_if_sentences(report)))} if report.what_if else {}),
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
        "because": _text(plain_sentence(decision.because)),
    }
