"""The error codes of sign-in (AADSTS): which are about consent, and what to do about others.

The table is ``error_codes.json``, which names its sources.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.facts import load_table


class _ErrorCodes(msgspec.Struct, frozen=True):
    source: str
    about_consent: tuple[int, ...]
    certificate: frozenset[str]
    advice: Mapping[str, str]


_TABLE = load_table("error_codes", _ErrorCodes)

CONSENT_CODES = _TABLE.about_consent
"""Sign-in errors about consent or assignment; a busy app has many others."""

CERTIFICATE_CODES = _TABLE.certificate
"""The codes that mean that the certificate doesn't belong to the app."""

ADVICE = _TABLE.advice
"""What to do if a credential gets no token, by code without the prefix AADSTS."""
