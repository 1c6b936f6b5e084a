"""The exposure of a change: what opens for every class of apps and for the users of this one, summed up."""

from __future__ import annotations

from auditor.fixes.exposure.opening import change, openings
from auditor.fixes.exposure.result import AUDIENCE, AppClass, Breadth, ClassExposure, Exposure, Use
from auditor.fixes.exposure.summary import Told, notes, summary
from auditor.fixes.exposure.use import use
from auditor.model.app import App
from auditor.model.snapshot import Snapshot


def exposure(before: Snapshot, after: Snapshot, app: App) -> Exposure:
    """What becomes possible when the tenant changes from `before` to `after`, beyond what it is changed for.

    Judged for users of the default role. What was not read is counted apart, never as nothing.
    """
    changed = change(before, after, app)
    classes, used = openings(changed), use(before, after, app)
    told = Told(change=changed, classes=classes, use=used)
    return Exposure(
        classes=classes,
        use=used,
        summary=summary(told),
        weight=sum(AUDIENCE[kind] * one.weight for kind, one in classes.items()),
        breadth=_breadth(used, classes[AppClass.THIS]),
        consent_policy_changes=changed.of_policies,
        notes=notes(told),
    )


def _breadth(used: Use, this: ClassExposure) -> Breadth:
    if used.opened_to_all or this.opened or this.not_known:
        return Breadth.EVERYBODY
    if used.granted or used.switched_on:
        return Breadth.ASSIGNED if used.restricted else Breadth.EVERYBODY
    return Breadth.NAMED if used.users or used.assigned else Breadth.NOBODY
