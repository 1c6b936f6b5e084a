"""Read the lists that grow with a directory, page by page, into files; a read that was stopped goes on from there.

The rows are checked, and written as Graph returned them. Of a list stays in memory only what further reads depend on.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Container, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from auditor.graph.checkpoint import ListProgress, PartialRead
from auditor.graph.fetch import TRY_AGAIN, Progress, ReadResult, all_results, failed, next_link, why_unread
from auditor.graph.graph_errors import CredentialError, EndlessPages, GraphError, NotJson, ShortList, WriteRefused
from auditor.graph.pages import PageRows, rows_of
from auditor.graph.reads import Read
from auditor.graph.response import GraphResponse
from auditor.graph.transport import GraphClient
from auditor.model.resources import BLUEPRINT_PRINCIPAL, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Unread
from auditor.model.unread_messages import ENDLESS_LIST, NOT_A_LIST, SHORT_LIST
from auditor.snapshot import ShapeError
from auditor.snapshot.assemble import row_type
from auditor.snapshot.graph_json import decode_section
from auditor.snapshot.packed_files import DAMAGE, RowsWriter, line_batches
from auditor.snapshot.write import SectionFile

_EXPIRED = (400, 404, 410)
"""How Graph answers a next link that is too old."""
_BLUEPRINT = BLUEPRINT_PRINCIPAL.encode()
_KIND = attrgetter("resourceId", "scope", "consentType")
_PARTS = 16

Say = Callable[[str], None]


class DirectoryLists:
    """Reads whole lists into the files of `partial`, at the same time, and reports to `progress` page by page."""

    def __init__(self, client: GraphClient, partial: PartialRead, progress: Progress | None, say: Say) -> None:
        self._client = client
        self._partial = partial
        self._progress = progress
        self._say = say
        self._lists: dict[str, _List] = {}
        self.unfinished: tuple[str, ...] = ()
        """The lists that another run can continue, because Graph didn't answer."""

    def takes(self, read: Read) -> bool:
        """Whether the read is one of a whole list that is written to a file."""
        return read.whole and SECTIONS[read.section].streams

    async def fetch(self, reads: Sequence[Read]) -> list[ReadResult]:
        """The results in the order of `reads`. The `value` of a list is only what further reads depend on."""
        self._lists = {read.section: _List(self._client, self._partial, read, self._shown, self._say) for read in reads}
        results = await all_results(one.result() for one in self._lists.values())
        self.unfinished = tuple(result.read.section for result in results if result.error is not None)
        return results

    @property
    def files(self) -> dict[str, SectionFile]:
        """The files of the lists that are complete, by section in the order of a snapshot."""
        return {
            name: self._lists[name].file for name in SECTIONS if name in self._lists and self._lists[name].is_complete
        }

    @property
    def kinds_of_grants(self) -> tuple[OAuth2PermissionGrant, ...]:
        """A grant without a client and a user for every combination of resource, scopes and consent that occurs."""
        grants = self._lists.get("oauth2PermissionGrants")
        return tuple(
            OAuth2PermissionGrant(clientId="", resourceId=resource, scope=scope, consentType=consent)
            for resource, scope, consent in sorted(grants.kinds if grants else ())
        )

    def principals(self, object_ids: Container[str]) -> list[ServicePrincipal]:
        """The service principals of the list with these object ids (lower case)."""
        found: list[bytes] = []
        section = "servicePrincipals"
        for lines in line_batches(self._partial.rows(section), self._partial.lists[section].size):
            rows = zip(lines.splitlines(), _IDS.decode_lines(lines), strict=True)
            found += (line for line, row in rows if row.id.lower() in object_ids)
        return list(decode_section(section, [msgspec.json.decode(line) for line in found]))

    def _shown(self, section: str, rows: int, total: int | None) -> None:
        if self._progress:
            self._progress(section, rows, total)


class _Id(msgspec.Struct):
    id: str = ""


_IDS = msgspec.json.Decoder(_Id)


class _List:
    """One list, in its file."""

    def __init__(self, client: GraphClient, partial: PartialRead, read: Read, show: Progress, say: Say) -> None:
        self._client = client
        self._partial = partial
        self._read = read
        self._show = show
        self._say = say
        self._section = read.section
        self._decoder = msgspec.json.Decoder(row_type(read.section))
        self._key = SECTIONS[read.section].key
        self._writer: RowsWriter | None = None
        self._is_smaller = False
        self._begin()

    def _begin(self) -> None:
        self._at = ListProgress(is_smaller=self._is_smaller)
        self._links: set[str] = set()
        self._hashes = array("q")
        self._needed: list[dict[str, Any]] = []
        self.kinds: set[tuple[str, str, str]] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every row is in the file."""
        return self._at.is_complete

    @property
    def file(self) -> SectionFile:
        """The file in the packed snapshot."""
        return SectionFile(file=self._partial.rows(self._section).name, rows=self._at.rows)

    async def result(self) -> ReadResult:
        """What was read, or why the list is not complete. Raises what ends the whole run, and OSError."""
        try:
            self._continue()
            response = await self._read_list()
        except (CredentialError, WriteRefused):
            raise
        except GraphError as error:
            return failed(self._read, error)
        except ShapeError as error:
            return ReadResult(read=self._read, unread=Unread(message=str(error)))
        finally:
            if self._writer is not None:
                self._writer.close()
        if response is not None:
            return ReadResult(read=self._read, unread=why_unread(self._read, response), error=response.error)
        return ReadResult(read=self._read, value=self._needed, rows=self._at.rows)

    async def _read_list(self) -> GraphResponse | None:
        """Read to the end of the list, a second time if that helps. The response that refuses a page, if any."""
        response = await self._read_pages()
        if self._is_short() if response is None else self._has_expired(response):
            self._start_again()
            response = await self._read_pages()
        if response is None and self._is_short():
            count, rows = self._at.total, self._different()
            self._start_again()
            raise ShortList(SHORT_LIST.format(section=self._section, count=count, rows=rows), advice=TRY_AGAIN)
        return response

    def _is_short(self) -> bool:
        """Whether Graph counts more rows than it returned."""
        return self._at.total is not None and self._different() < self._at.total

    def _different(self) -> int:
        """The number of rows with different keys: pages that shift repeat one row and skip another."""
        return sum(len({key for key in self._hashes if key % _PARTS == part}) for part in range(_PARTS))

    # What an earlier run left behind.

    def _continue(self) -> None:
        """Go on where an earlier run stopped, if its part of the file is whole; or else begin."""
        earlier = self._partial.lists.get(self._section, ListProgress())
        if earlier.is_smaller:
            self._read, self._is_smaller = self._read.after_refusal("") or self._read, True
        if earlier.next and not earlier.next.startswith(f"{self._client.graph}/"):
            self._say(f"{self._section} was read from another host before: reading it again.")
            earlier = ListProgress()
        try:
            self._scan(earlier)
        except (*DAMAGE, msgspec.DecodeError, ShapeError):
            self._say(f"The rows of {self._section} that were read before are damaged: reading them again.")
            self._begin()
        self._writer = RowsWriter(self._partial.rows(self._section), self._at.size)
        self._show(self._section, self._at.rows, self._at.total)

    def _scan(self, earlier: ListProgress) -> None:
        """Take over what an earlier run wrote, after a look at every row. Raises for anything that is not whole."""
        rows = 0
        self._at = ListProgress(total=earlier.total)
        if earlier.size:
            for lines in line_batches(self._partial.rows(self._section), earlier.size):
                rows += lines.count(b"\n")
                self._look_at(lines)
        if rows != earlier.rows:
            raise EOFError
        self._at = earlier

    def _start_again(self) -> None:
        """Begin the list again, without any row of it."""
        self._begin()
        assert self._writer is not None
        self._writer.cut(0)
        self._partial.note(self._section, None)

    def _has_expired(self, response: GraphResponse) -> bool:
        """Whether Graph no longer knows the page that comes next, so that the list must begin again; says so."""
        if response.status not in _EXPIRED or not self._at.next or self._may_be_refused(response):
            return False
        self._say(
            f"Microsoft Graph no longer knows where {self._section} was to go on after {self._at.rows:,} rows:"
            " reading it again from the start."
        )
        return True

    # Reading.

    async def _read_pages(self) -> GraphResponse | None:
        """Read to the end of the list. The response that refuses a page, if there is one."""
        if self._at.is_complete:
            return None
        asked = self._ask(self._at.next or self._client.address(self._read.version, self._read.url))
        try:
            while True:
                response = await asked
                if not response.ok:
                    again = self._read.after_refusal(response.message) if self._may_be_refused(response) else None
                    if again is None:
                        return response
                    self._is_smaller = self._is_smaller or bool(self._read.smaller)
                    self._read = again
                    self._start_again()
                    asked = self._ask(self._client.address(self._read.version, self._read.url))
                    continue
                rows, link = self._page(response)
                if link is not None:
                    # While this page is written, the next one is on its way.
                    asked = self._ask(link)
                    await asyncio.sleep(0)
                self._write(rows, link)
                self._show(self._section, self._at.rows, self._at.total)
                if link is None:
                    return None
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    def _ask(self, address: str) -> asyncio.Task[GraphResponse]:
        return asyncio.create_task(self._client.page(address, self._read.headers))

    def _may_be_refused(self, response: GraphResponse) -> bool:
        """Whether Graph refused what was asked for, and not a page that it no longer knows."""
        next_link = self._at.next
        starts = next_link == self._address(self._at.part) if next_link else not self._at.rows
        return response.status == 400 and starts

    def _address(self, part: int) -> str:
        """The first page of one of the list's addresses."""
        return self._client.address(self._read.version, (self._read.url, *self._read.more)[part])

    def _page(self, response: GraphResponse) -> tuple[PageRows, str | None]:
        """The rows of a page and the link to the next one. Raises GraphError for what isn't a page."""
        body = response.body or {}
        rows = rows_of(body.get("value"))
        if rows is None:
            raise NotJson(NOT_A_LIST.format(section=self._section))
        total = body.get("@odata.count")
        if isinstance(total, int) and not isinstance(total, bool):
            self._at = msgspec.structs.replace(self._at, total=total)
        link = next_link(self._section, body)
        if link is None and self._at.part < len(self._read.more):
            self._at = msgspec.structs.replace(self._at, part=self._at.part + 1)
            link = self._address(self._at.part)
        if link in self._links:
            raise EndlessPages(ENDLESS_LIST.format(section=self._section), advice=TRY_AGAIN)
        if link is not None:
            self._links.add(link)
        return rows, link

    def _write(self, rows: PageRows, link: str | None) -> None:
        """Check the rows of a page, and add them to the file. Raises `ShapeError` and OSError."""
        assert self._writer is not None
        self._look_at(rows.lines)
        self._writer.append(rows.lines)
        at = self._at
        self._at = msgspec.structs.replace(
            at, rows=at.rows + rows.count, size=self._writer.size, next=link or "", is_complete=link is None
        )
        self._partial.note(self._section, self._at)

    # What stays in memory of the rows.

    def _look_at(self, lines: bytes) -> None:
        """Check rows, and keep what further reads depend on. Raises `ShapeError` for a value that isn't valid."""
        typed = self._typed(lines)
        if self._section == "oauth2PermissionGrants":
            self.kinds.update(map(_KIND, typed))
        elif self._section == "servicePrincipals" and _BLUEPRINT in lines:
            self._needed += (msgspec.json.decode(line) for line in lines.splitlines() if _BLUEPRINT in line)
        if self._at.total is not None:
            self._hashes.extend(hash(self._key(row)) for row in typed)

    def _typed(self, lines: bytes) -> Sequence[Any]:
        try:
            typed: Sequence[Any] = self._decoder.decode_lines(lines)
        except msgspec.DecodeError:
            # Rows in another spelling, or with a value that isn't valid: the reader of snapshots knows which.
            typed = decode_section(self._section, msgspec.json.Decoder().decode_lines(lines))
        return typed
