"""Possible worlds: a yes-or-no procedure, run once for every way in which the unknown facts may be.

The procedure asks a `World` for each fact it needs. A fact asked for the first time opens one world for each
value it may have; asked again in the same world, it has the same value. It never asks for a fact that doesn't matter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

Fact = tuple[str, ...]
"""A question about the tenant: what is asked, then what it is asked about."""

Value = TypeVar("Value", bound=Hashable)
Answer = TypeVar("Answer")


Settled = list[tuple[Any, list[tuple[Fact, Any]]]]
"""The distinct answers to a question, each with the lasting facts that were assumed for it."""

Memory = dict[Hashable, Settled]
"""What was settled before, in other worlds with the same facts."""


class World:
    """One way things may be: the facts given, and the choice taken at each open question."""

    def __init__(self, given: Mapping[Fact, Any], script: Sequence[int], memory: Memory) -> None:
        """A world in which `given` holds, and whose open questions are answered by `script`."""
        self.facts: dict[Fact, Any] = dict(given)
        self.script = script
        self.memory = memory
        self.taken: list[tuple[int, int]] = []
        self.settled: dict[Fact, Any] = {}

    def ask(self, fact: Fact, values: Sequence[Value]) -> Value:
        """The value that `fact` has in this world, one of `values`."""
        if fact not in self.facts:
            self.facts[fact] = values[self._choose(len(values))]
        answer: Value = self.facts[fact]
        return answer

    def known(self, stated: Any, fact: Fact, values: Sequence[Value]) -> Value:
        """What the tenant states; where it states nothing, the value that `fact` has in this world."""
        answer: Value = self.ask(fact, values) if stated is None else stated
        return answer

    def settle(self, name: str, question: Callable[[World], Value], about: Fact) -> Value:
        """The answer to `question`, after which the facts about `about` are forgotten: nobody else asks.

        Worlds that differ only in such private facts are one world. Without this, four scopes of an API whose
        permissions were not read would already make millions. An empty `about` forgets all that was asked.
        The same `name` and `about` must be the same question: asked again in one world, it has the same answer.
        """
        if (name, *about) not in self.settled:
            asked = (name, about, frozenset(self.facts.items()))
            if asked not in self.memory:
                self.memory[asked] = self._ways_to_settle(question, about)
            ways = self.memory[asked]
            self.settled[name, *about], learned = ways[self._choose(len(ways))]
            self.facts.update(learned)
        answer: Value = self.settled[name, *about]
        return answer

    def _ways_to_settle(self, question: Callable[[World], Hashable], about: Fact) -> Settled:
        found = {
            (answer, frozenset(one for one in facts.items() if self._lasts(one[0], about)))
            for answer, facts in every_world(question, self.facts, self.memory)
        }
        ways = [(answer, sorted(learned, key=repr)) for answer, learned in found]
        return sorted(ways, key=repr)

    def _lasts(self, fact: Fact, about: Fact) -> bool:
        return fact not in self.facts and bool(about) and fact[-len(about) :] != about

    def _choose(self, count: int) -> int:
        step = len(self.taken)
        chosen = self.script[step] if step < len(self.script) else 0
        self.taken.append((chosen, count))
        return chosen


def every_world(
    question: Callable[[World], Answer], given: Mapping[Fact, Any] | None = None, memory: Memory | None = None
) -> Iterator[tuple[Answer, dict[Fact, Any]]]:
    """The answer to `question` in each possible world, with the facts of that world."""
    memory = {} if memory is None else memory
    scripts: list[list[int]] = [[]]
    while scripts:
        script = scripts.pop()
        world = World(given or {}, script, memory)
        answer = question(world)
        for step in range(len(script), len(world.taken)):
            path = [chosen for chosen, _ in world.taken[:step]]
            scripts.extend([*path, other] for other in range(1, world.taken[step][1]))
        yield answer, world.facts
