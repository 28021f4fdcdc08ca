"""The conversation with a server: what is sent together, what is sent again, and what an error means. No I/O.

``converse`` yields what is to be done next (``Batch``, ``Pause``) and is sent what came of it; the two transports in
``pools`` only carry that out. So the rules of retrying exist once, and can be read here:

* An operation on a structure that writes is never sent again once it may have arrived.
* A request that reads is sent again after its connection was lost. So is a commit, whose token the script checks, and
  a part of a flush, which removes what is left.
* A write is the first of what is sent together, and a flush is sent alone. So whatever is sent again, because its
  script was not known or its reply was lost, is answered on the state that it would have seen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias

from ...contract import Call as Operation
from ...contract import Commit, Flush, Request, Take
from ...contract.keys import shown
from ...errors import (
    AnalyzerMismatch,
    CallUnknown,
    CommitUnknown,
    ConnectionError,
    ResponseError,
    TableMismatch,
    WrongKind,
)
from ...records import Record
from .calls import Call, Steps
from .scripts import script
from .structures import key_of
from .wire import steps

PAUSES = (0.0, 0.1, 0.5)
"""Seconds before each new attempt after a connection was lost."""

BUSY_PAUSE = 0.25
BUSY_PAUSES = 40
"""How long, and how often, to wait for a server that runs somebody's long script and answers nothing else."""

SECONDS_A_ROW = 50e-6
"""How much longer than the time-out a commit may take for each row."""


class Batch(Record):
    """Commands for one round trip; the answer is ``Answers`` or ``Lost``."""

    commands: list[tuple[bytes, ...]]
    seconds: float = 0.0


class Pause(Record):
    """Wait."""

    seconds: float


class Failure(Record):
    """An error that the server answered instead of a reply."""

    message: str


class Lost(Record):
    """The round trip failed: whether anything may have been sent, whether to try again, and why."""

    sent: bool
    again: bool
    message: str


class Wait(Record):
    """Pop from the list ``key`` when it has something; the answer is the value, ``None``, ``Failure`` or ``Lost``.

    0 seconds: pop what is there; ``None``: wait for ever. It takes nothing if it is cancelled.
    """

    end: str
    key: bytes
    seconds: float | None


Answers: TypeAlias = list[Any]
Talk: TypeAlias = Generator[Batch | Pause | Wait, Any, list[Any]]


def converse(requests: Sequence[Request], namespace: str) -> Talk:
    """Answer the requests, in order."""
    replies: list[Any] = []
    for group in groups(requests):
        if isinstance(group[0], Take):
            replies.append((yield from _take(group[0], namespace)))
        else:
            replies += yield from _answer(group, namespace)
    return replies


def groups(requests: Sequence[Request]) -> list[list[Request]]:
    """Split requests into what may be sent together: a commit, an operation that writes or none; then what reads."""
    found: list[list[Request]] = []
    for request in requests:
        if not found or _writes(request) or isinstance(found[-1][0], (Flush, Take)):
            found.append([request])
        else:
            found[-1].append(request)
    return found


def _writes(request: Request) -> bool:
    if isinstance(request, Operation):
        operation = request.place.kind.operations.get(request.operation)
        return operation is not None and operation.effect != "reads"
    return isinstance(request, (Commit, Flush, Take))


def _take(request: Take, namespace: str) -> Generator[Batch | Pause | Wait, Any, Any]:
    """Take what there is; if there is nothing, wait for it, on a connection that has nothing else to do."""
    place, end, seconds = request.place, request.end, request.seconds
    (size,) = yield from _answer([request], namespace)
    for patience in ([0.0] if size else []) + ([] if seconds == 0 else [seconds]):
        value = yield from _pop(Wait(end, key_of(place, namespace), patience), place.kind.name)
        if value is not None:
            return value
    return None


def _pop(wait: Wait, kind: str) -> Generator[Batch | Pause | Wait, Any, Any]:
    for pause in (*PAUSES, None):
        outcome = yield wait
        if not isinstance(outcome, Lost):
            break
        if outcome.sent:
            raise CallUnknown(f"block_pop_{wait.end}", kind, outcome.message)
        if pause is None or not outcome.again:
            raise ConnectionError(outcome.message)
        yield Pause(pause)
    if isinstance(outcome, Failure):
        raise explained(outcome.message, wait.key)
    return outcome


def _answer(requests: Sequence[Request], namespace: str) -> Talk:
    running: list[Steps] = []
    calls: list[Call] = []
    mistake: Exception | None = None
    for request in requests:
        try:
            program = steps(request, namespace)
            calls.append(next(program))
            running.append(program)
        except Exception as error:  # a mistake in a request; those before it are answered all the same
            mistake = error
            break
    replies = yield from run_all(running, calls)
    if mistake is not None:
        raise mistake
    return replies


def run_all(running: Sequence[Steps], calls: Sequence[Call]) -> Talk:
    """Run programs side by side, given the first call of each, and return what they return."""
    replies: list[Any] = [None] * len(running)
    waiting = list(zip(range(len(running)), running, calls, strict=True))
    while waiting:
        answers = yield from _answers([call for _, _, call in waiting])
        following = []
        for (place, program, call), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, Failure):
                raise explained(answer.message, b"" if call.script else call.arguments[1])
            try:
                following.append((place, program, program.send(answer)))
            except StopIteration as stop:
                replies[place] = stop.value
        waiting = following
    return replies


def _answers(calls: Sequence[Call]) -> Generator[Batch | Pause | Wait, Any, Answers]:
    """Get an answer to each call, which is a failure if its claim does not hold.

    What is claimed of a table is asked once in a round trip. Only a table that seems to be another, which may be
    because it has no rows any more, is looked at once again, by a script.
    """
    claims = list(dict.fromkeys(call.claim for call in calls if call.claim is not None))
    found = yield from _deliver([*calls, *(claim.question for claim in claims)])
    layouts = zip(claims, found[len(calls) :], strict=True)
    doubtful = [claim for claim, layout in layouts if layout is not None and layout != claim.layout]
    if not doubtful:
        return found[: len(calls)]
    verdicts = yield from _deliver([claim.proof for claim in doubtful])
    failed = {claim: verdict for claim, verdict in zip(doubtful, verdicts, strict=True) if verdict is not None}
    return [
        answer if call.claim is None else failed.get(call.claim, answer)
        for call, answer in zip(calls, found, strict=False)
    ]


def _deliver(calls: Sequence[Call]) -> Generator[Batch | Pause | Wait, Any, Answers]:
    """Get an answer to each call, loading scripts and calling again as needed."""
    answers: Answers = []
    loads = pauses = 0
    while True:
        waiting = calls[len(answers) :]
        found = yield from _send_again([_command(call) for call in waiting], waiting)
        refused = [place for place, answer in enumerate(found) if isinstance(answer, Failure) and _is_for_now(answer)]
        if not refused or loads > len(PAUSES) or pauses == BUSY_PAUSES:
            return answers + found
        answers += found[: refused[0]]
        unknown = [waiting[place] for place in refused if _is_unknown(found[place])]
        if texts := dict.fromkeys(script(call.script, call.kinds, call.expiring).text for call in unknown):
            loads += 1
            yield from _send_again([(b"SCRIPT", b"LOAD", text) for text in texts], ())
        elif any(_is_busy(found[place]) for place in refused):
            pauses += 1
            yield Pause(BUSY_PAUSE)


def _command(call: Call) -> tuple[bytes, ...]:
    if not call.script:
        return call.arguments
    return (b"EVALSHA", script(call.script, call.kinds, call.expiring).sha, *call.arguments)


def _is_for_now(answer: Failure) -> bool:
    """Return whether a call was not carried out, but will be; ``again`` comes while many expired rows have to go."""
    return _is_unknown(answer) or _is_busy(answer) or answer.message.startswith("STDNET again ")


def _is_unknown(answer: Any) -> bool:
    return isinstance(answer, Failure) and answer.message.startswith(("NOSCRIPT", "No matching script"))


def _is_busy(answer: Any) -> bool:
    return isinstance(answer, Failure) and answer.message.startswith("BUSY ")


def _send_again(
    commands: list[tuple[bytes, ...]], calls: Sequence[Call]
) -> Generator[Batch | Pause | Wait, Any, Answers]:
    """Send commands until they are answered, or until it is enough."""
    batch, sent = Batch(commands, SECONDS_A_ROW * sum(call.size for call in calls)), False
    for pause in (*PAUSES, None):
        outcome = yield batch
        if not isinstance(outcome, Lost):
            answers: Answers = outcome
            return answers
        sent = sent or outcome.sent
        if sent and calls and calls[0].once is not None:
            raise CallUnknown(*calls[0].once, outcome.message)
        if pause is None or not outcome.again:
            break
        yield Pause(pause)
    for call in calls:
        if sent and call.token is not None:
            raise CommitUnknown(call.token, outcome.message)
    raise ConnectionError(outcome.message)


def explained(message: str, key: bytes = b"") -> Exception:
    """Return the exception for an error of the server or of a script; ``key`` is what a plain command was about."""
    if key and message.startswith("WRONGTYPE"):
        return WrongKind(shown(key))
    if not message.startswith("STDNET "):
        return ResponseError(f"The server refused a request: {message}")
    _, code, detail = message.split(" ", 2)
    match code:
        case "type":
            return WrongKind(detail)
        case "mismatch":
            return TableMismatch(detail)
        case "again":
            return ResponseError(
                f'Many rows of "{detail}" expired and are still being removed. Send the request again.'
            )
        case "analyzer":
            return AnalyzerMismatch(*detail.split("\t", 1))
        case "token":
            return ResponseError(
                f'The commit "{detail}" was given up when it was resolved, so nothing was changed. '
                "Commit again with another token."
            )
        case _:
            return ResponseError(f'The scores of "{detail}" would add up to no number, so nothing was changed.')
