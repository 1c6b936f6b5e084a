"""Fetch reads in as few round trips as possible, each with its own result."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from auditor.graph.graph_errors import (
    BatchRefused,
    CredentialError,
    EndlessPages,
    GraphError,
    IncompleteList,
    NotJson,
    ShortList,
    WriteRefused,
)
from auditor.graph.reads import Read
from auditor.graph.response import GraphResponse
from auditor.graph.retry import REPORTS_AT_ONCE
from auditor.graph.transport import BATCH_LIMIT, GetRequest, GraphClient, is_report
from auditor.model.snapshot import Unread
from auditor.model.unread_messages import (
    BAD_NEXT_LINK,
    ENDLESS_LIST,
    NO_LICENSE,
    NO_REASON,
    NOT_A_LIST,
    PARTIAL_ENTRY,
    SHORT_LIST,
    NextLinkProblem,
)

Progress = Callable[[str, int, int | None], None]
"""Called with a section, how much of it is done, and the total (none: not known)."""


class ReadResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one read: a `value` (an object or rows), or why it is `unread`.

    `absent`: Graph answered that there is no such object, and the read accepts that as an answer.
    `error`: Graph did not answer. `rows` is the length of a list that is not in `value`, because it is in a file.
    """

    read: Read
    value: Any = None
    unread: Unread | None = None
    absent: bool = False
    error: GraphError | None = None
    rows: int | None = None


class Fetcher:
    """Sends reads with one client and reports to `progress` as results arrive."""

    def __init__(self, client: GraphClient, progress: Progress | None = None) -> None:
        self._client = client
        self._progress = progress
        self._done: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        self._paged: set[str] = set()

    async def fetch(self, reads: Sequence[Read]) -> list[ReadResult]:
        """The results of `reads` in their order. v1.0, beta and directory-wide lists are fetched at the same time."""
        self._total.update(read.section for read in reads)
        self._paged.update(read.section for read in reads if read.whole)
        logs = [read for read in reads if not read.whole and is_report(read.url)]
        # A batch with more of them than Graph answers at once would have to wait as a whole.
        alone = [read for read in reads if read.whole] + logs[REPORTS_AT_ONCE:]
        jobs = [self._fetch_single(read) for read in alone]
        for version in ("v1.0", "beta"):
            small = [read for read in reads if read.version == version and not any(read is one for one in alone)]
            jobs += [self._fetch_batch(small[i : i + BATCH_LIMIT]) for i in range(0, len(small), BATCH_LIMIT)]
        by_read = {id(result.read): result for result in _flat(await all_results(jobs))}
        return [by_read[id(read)] for read in reads]

    async def _fetch_batch(self, reads: Sequence[Read], sent: Sequence[Read] | None = None) -> list[ReadResult]:
        """The results of at most twenty reads of one version in one request; `sent` is what is sent in their place."""
        sent = sent or reads
        if len(reads) == 1:
            return await self._fetch_single(reads[0], sent[0])
        requests = [GetRequest(url=read.url, headers=read.headers) for read in sent]
        try:
            responses = await self._client.batch(sent[0].version, requests)
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            return [self._counted(failed(read, error)) for read in reads]
        again = {i: one for i, response in enumerate(responses) if (one := _again(sent[i], response)) is not None}
        first = [self._result_of(reads[i], sent[i], responses[i]) for i in range(len(reads)) if i not in again]
        jobs: list[Coroutine[Any, Any, list[ReadResult]]] = [*first]
        if again:
            jobs.append(self._fetch_batch([reads[i] for i in again], list(again.values())))
        return list(_flat(await all_results(jobs)))

    async def _fetch_single(self, read: Read, sent: Read | None = None, *, may_repeat: bool = True) -> list[ReadResult]:
        """The result of one read in its own request."""
        sent = sent or read
        try:
            response = await self._client.get(sent.version, GetRequest(url=sent.url, headers=sent.headers))
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            return [self._counted(failed(read, error))]
        if (again := _again(sent, response)) is not None:
            return await self._fetch_single(read, again, may_repeat=may_repeat)
        return await self._result_of(read, sent, response, may_repeat=may_repeat)

    async def _result_of(
        self, read: Read, sent: Read, response: GraphResponse | GraphError, *, may_repeat: bool = True
    ) -> list[ReadResult]:
        """The result that `response` to `sent` gives, after all of its pages were read.

        A list that is shorter than Graph counts is read once more: the directory may have changed in between.
        """
        if isinstance(response, GraphError):
            return [self._counted(failed(read, response))]
        value: Any = response.body
        try:
            if read.is_list:
                value, response = await all_rows(self._client, sent, response, lambda rows: self._page(read, rows))
                if (again := _again(sent, response)) is not None:
                    return await self._fetch_single(read, again, may_repeat=may_repeat)
            _refuse_partial_entries(read.section, value if isinstance(value, list) else [value])
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            if isinstance(error, ShortList) and may_repeat:
                return await self._fetch_single(read, sent, may_repeat=False)
            return [self._counted(failed(read, error))]
        if response.ok:
            return [self._counted(ReadResult(read=read, value=value))]
        unread = why_unread(read, response)
        absent = read.absent_ok and unread.says_absent
        return [self._counted(ReadResult(read=read, unread=unread, absent=absent, error=response.error))]

    def _counted(self, result: ReadResult) -> ReadResult:
        section = result.read.section
        self._done[section] += 1
        if self._progress and section not in self._paged:
            self._progress(section, self._done[section], self._total[section])
        return result

    def _page(self, read: Read, rows: int) -> None:
        if self._progress and read.whole:
            self._progress(read.section, rows, None)


def why_unread(read: Read, response: GraphResponse) -> Unread:
    """Why Graph refused a read, and which permissions would allow it."""
    unread = Unread(
        status=response.status or None,
        code=response.code,
        message=response.message,
        needs=read.permissions if response.status in (401, 403) else (),
        request_id=response.request_id,
    )
    if unread.lacks_license:
        return msgspec.structs.replace(unread, message=NO_LICENSE, needs=())
    if not response.message and not response.code:
        return msgspec.structs.replace(unread, message=NO_REASON.format(status=response.status))
    return unread


def failed(read: Read, error: GraphError) -> ReadResult:
    """The result of a read that Graph did not answer, because of `error`."""
    unread = error.unread if isinstance(error, BatchRefused) else Unread(message=str(error))
    return ReadResult(read=read, unread=unread, error=error)


def _again(sent: Read, response: GraphResponse | GraphError) -> Read | None:
    """The read to send after this response to `sent`, if there is one; each leaves out more, so the retries end."""
    if isinstance(response, GraphError) or response.status != 400:
        return None
    return sent.after_refusal(response.message)


def _flat(lists: Iterable[list[ReadResult]]) -> Iterator[ReadResult]:
    return (result for results in lists for result in results)


T = TypeVar("T")


async def all_results(jobs: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results. The first failure cancels the other jobs and is raised unchanged."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


Rows = list[dict[str, Any]]

TRY_AGAIN = "Try again later. If the problem persists, report it to Microsoft's support."


async def all_rows(
    client: GraphClient, read: Read, first: GraphResponse, on_page: Callable[[int], None]
) -> tuple[Rows, GraphResponse]:
    """The rows of `first`, of all following pages and of the list's other addresses, and the last response.

    Only a missing next link ends a list: Graph may return an empty page before full ones. A page that fails is the
    last response, and the rows are then incomplete. Next links are opaque; the client checks their host. Raises
    `IncompleteList` for one that can't be followed or was already followed, and if Graph counts more entries. The
    headers are sent with every page, because a next link does not contain ConsistencyLevel.
    """
    count = 0
    others = list(read.more)
    rows: Rows = []
    seen: set[str] = set()
    response = first
    while response.ok and response.body is not None:
        value = response.body.get("value")
        if not isinstance(value, list):
            raise NotJson(NOT_A_LIST.format(section=read.section))
        rows += value
        on_page(len(rows))
        counted = response.body.get("@odata.count")
        count = counted if isinstance(counted, int) else count
        if (link := next_link(read.section, response.body)) is None:
            if count > (different := _different(rows)):
                raise ShortList(SHORT_LIST.format(section=read.section, count=count, rows=different), advice=TRY_AGAIN)
            if not others:
                break
            response = await client.get(read.version, GetRequest(url=others.pop(0), headers=read.headers))
            continue
        if link in seen:
            raise EndlessPages(ENDLESS_LIST.format(section=read.section), advice=TRY_AGAIN)
        seen.add(link)
        response = await client.follow(link, read.headers)
    return rows, response


def next_link(section: str, page: Mapping[str, Any]) -> str | None:
    """Where the list goes on after this page; none if the page is the last. Raises `IncompleteList`."""
    names = [name for name in page if name.lower() in _NEXT_LINKS]
    if not names:
        return None
    link = page[names[0]]
    if not isinstance(link, str):
        problem = NextLinkProblem.NOT_TEXT
    elif not link:
        problem = NextLinkProblem.EMPTY
    elif _HTTPS.fullmatch(link) is None:
        problem = NextLinkProblem.NOT_HTTPS
    else:
        return link
    raise IncompleteList(BAD_NEXT_LINK.format(section=section, problem=problem), advice=TRY_AGAIN)


_NEXT_LINKS = ("@odata.nextlink", "@nextlink", "odata.nextlink")
"""The annotation in lower case: of OData 4.0, which Graph speaks, of OData 4.01, and of OData 3.0."""
_HTTPS = re.compile(r"https://[\w.\[\]:-]+(?:/[^\s\\]*)?(?:\?[^\s\\]*)?", re.ASCII)
"""An https address of a host, without a user name and without blanks."""


def _refuse_partial_entries(section: str, rows: Sequence[Any]) -> None:
    """Raise `IncompleteList` for a row with an expanded list of which Graph returned the first page only."""
    names = (name for row in rows if isinstance(row, dict) for name in row)
    if any(name.lower().endswith("@odata.nextlink") for name in names):
        raise IncompleteList(PARTIAL_ENTRY.format(section=section), advice=TRY_AGAIN)


def _different(rows: Sequence[Any]) -> int:
    """The number of rows, those with the same id counted once: pages that shift repeat one row and skip another."""
    return len({str(row["id"]) if isinstance(row, dict) and "id" in row else number for number, row in enumerate(rows)})
