"""Asking: reads go out in as few round trips as can be, and each comes back with its outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from auditor.graph.answer import Answer
from auditor.graph.graph_errors import CredentialError, EndlessPages, GraphError, NotJson, WriteRefused
from auditor.graph.reads import Read
from auditor.graph.transport import BATCH_LIMIT, GraphClient, Item
from auditor.model.snapshot import Unread

Progress = Callable[[str, int, int | None], None]
"""Called with a section, how much of it is done, and how much there is (none: nobody knows)."""

ABSENT = "Request_ResourceNotFound"
_NO_LICENCE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one read: a `value` (an object or rows), or `unread`.

    `absent`: Graph said that there is no such thing, which the read must be able to take for an answer.
    `error`: no answer of Graph's came at all.
    """

    read: Read
    value: Any = None
    unread: Unread | None = None
    absent: bool = False
    error: GraphError | None = None


class Asker:
    """Sends reads through one client and tells `progress` as their outcomes come in."""

    def __init__(self, client: GraphClient, progress: Progress | None = None) -> None:
        self._client = client
        self._progress = progress
        self._done: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        self._paged: set[str] = set()

    async def ask(self, reads: Sequence[Read]) -> list[Outcome]:
        """The outcomes of `reads`, in their order. v1.0, beta and directory-wide lists go together."""
        self._total.update(read.section for read in reads)
        self._paged.update(read.section for read in reads if read.whole)
        jobs = [self._alone(read) for read in reads if read.whole]
        for version in ("v1.0", "beta"):
            small = [read for read in reads if not read.whole and read.version == version]
            jobs += [self._together(small[i : i + BATCH_LIMIT]) for i in range(0, len(small), BATCH_LIMIT)]
        found = {id(outcome.read): outcome for outcome in _flat(await _all(jobs))}
        return [found[id(read)] for read in reads]

    async def _together(self, reads: Sequence[Read], asked: Sequence[Read] | None = None) -> list[Outcome]:
        """Outcomes of at most twenty reads of one version, in one request; `asked` may ask otherwise."""
        asked = asked or reads
        if len(reads) == 1:
            return await self._alone(reads[0], asked[0])
        items = [Item(url=read.url, headers=read.headers) for read in asked]
        try:
            answers = await self._client.batch(asked[0].version, items)
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            return [self._settled(_failed(read, error)) for read in reads]
        again = [i for i, answer in enumerate(answers) if answer.status == 400 and asked[i].fallback]
        first = [self._settle(reads[i], answers[i]) for i in range(len(reads)) if i not in again]
        jobs: list[Coroutine[Any, Any, list[Outcome]]] = [*first]
        if again:
            jobs.append(self._together([reads[i] for i in again], [_lesser(asked[i]) for i in again]))
        return list(_flat(await _all(jobs)))

    async def _alone(self, read: Read, asked: Read | None = None) -> list[Outcome]:
        """The outcome of one read, in a request of its own."""
        asked = asked or read
        try:
            answer = await self._client.get(asked.version, Item(url=asked.url, headers=asked.headers))
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            return [self._settled(_failed(read, error))]
        if answer.status == 400 and asked.fallback:
            return await self._alone(read, _lesser(asked))
        return await self._settle(read, answer)

    async def _settle(self, read: Read, answer: Answer) -> list[Outcome]:
        """What `answer` means, once all of its pages were read."""
        value: Any = answer.body
        if read.is_list:
            try:
                value, answer = await all_rows(self._client, read, answer, lambda rows: self._page(read, rows))
            except (CredentialError, WriteRefused):
                raise
            except GraphError as error:
                return [self._settled(_failed(read, error))]
        if answer.ok:
            return [self._settled(Outcome(read=read, value=value))]
        absent = read.absent_ok and answer.status == 404 and answer.code == ABSENT
        return [self._settled(Outcome(read=read, unread=why_unread(read, answer), absent=absent))]

    def _settled(self, outcome: Outcome) -> Outcome:
        section = outcome.read.section
        self._done[section] += 1
        if self._progress and section not in self._paged:
            self._progress(section, self._done[section], self._total[section])
        return outcome

    def _page(self, read: Read, rows: int) -> None:
        if self._progress and read.whole:
            self._progress(read.section, rows, None)


def why_unread(read: Read, answer: Answer) -> Unread:
    """How Graph refused a read, in words that say what would have allowed it."""
    message, needs = answer.message, read.permissions
    if answer.code == _NO_LICENCE:
        message, needs = "needs a Microsoft Entra ID P1 or P2 licence", ()
    return Unread(
        status=answer.status or None,
        code=answer.code,
        message=message,
        needs=needs if answer.status in (401, 403) else (),
        request_id=answer.request_id,
    )


def _failed(read: Read, error: GraphError) -> Outcome:
    return Outcome(read=read, unread=Unread(message=str(error)), error=error)


def _lesser(read: Read) -> Read:
    return msgspec.structs.replace(read, url=read.fallback, fallback="")


def _flat(lists: Iterable[list[Outcome]]) -> Iterator[Outcome]:
    return (outcome for outcomes in lists for outcome in outcomes)


async def _all(jobs: Sequence[Coroutine[Any, Any, list[Outcome]]]) -> list[list[Outcome]]:
    """All results; the first failure ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


Rows = list[dict[str, Any]]


async def all_rows(
    client: GraphClient, read: Read, first: Answer, on_page: Callable[[int], None]
) -> tuple[Rows, Answer]:
    """The rows of `first` and of every page after it, and the last answer.

    Only a missing next link ends a list: an empty page may come before full ones. A page that fails is the
    last answer, and the rows are then worth nothing. Links are opaque, but for their host, which the client
    checks, and for having been followed before. Headers are sent again: a next link does not carry
    ConsistencyLevel.
    """
    rows: Rows = []
    seen: set[str] = set()
    answer = first
    while answer.ok and answer.body is not None:
        value = answer.body.get("value")
        if not isinstance(value, list):
            raise NotJson(f"Graph's answer for {read.section} is no list")
        rows += value
        on_page(len(rows))
        link = answer.body.get("@odata.nextLink")
        if not isinstance(link, str) or not link:
            break
        if link in seen:
            raise EndlessPages(
                f"the list of {read.section} leads back to a page that was read already",
                advice="Try again later; if it stays so, this is for Microsoft's support.",
            )
        seen.add(link)
        answer = await client.follow(link, read.headers)
    return rows, answer
