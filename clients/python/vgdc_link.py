"""A client of vgdc's link protocol (docs/link-protocol.md), on asyncio. Needs cbor2.

    connection = vgdc_link.connect("tcp://127.0.0.1:7700", node="model")
    out = connection.sender("results", delivery="durable")
    await out.send({"payload": 1})

    async def handle(message, about):
        ...
    connection.receiver("pictures", handle)

It connects again when the connection breaks, until `close`. Messages are dicts. What CBOR has, cbor2 knows: `undefined` is
`cbor2.undefined`, buffers are bytes, dates are datetimes with a timezone. What stands under tag 27 or 259 (errors, regular
expressions, maps, invalid dates) is a `cbor2.CBORTag`, and goes back as it came. Big integers that fit into 64 bits go back as
numbers.
"""

import asyncio
import random
import time
from collections import deque
from datetime import datetime, timezone

import cbor2

VERSION = 1
HELLO, WELCOME, OPEN, BATCH, ACK, CREDIT, CLOSE, FAULT, PING, PONG = range(10)
SKIPPABLE = 128
FAST, DURABLE = 0, 1
UNKNOWN_LINK, STALE_EPOCH, GAP, DELIVERY = 3, 4, 6, 8
MAX_MESSAGE = 16 * 1024 * 1024
MAX_FRAME = MAX_MESSAGE + 64 * 1024
MAX_DEPTH = 520
BATCH_BYTES = 32 * 1024
BATCH_MESSAGES = 1024
WRITE_BYTES = 256 * 1024


class LinkError(Exception):
    """A link, a connection or a peer does not do what it should."""


def _date(seconds, _immutable):
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError, TypeError):
        # (outside of what Python has dates for)
        return cbor2.CBORTag(1, seconds)


def encode(value):
    """A value as CBOR."""
    return cbor2.dumps(value, datetime_as_timestamp=True, timezone=timezone.utc)


def decode(data):
    """The value of CBOR."""
    return cbor2.loads(data, max_depth=MAX_DEPTH, semantic_decoders={1: _date}, allow_indefinite=False)


def _framed(frame):
    body = encode(frame)
    return len(body).to_bytes(4, "little") + body


class Sender:
    """The sending end of a link. A durable one keeps what is not confirmed in memory: it survives connections, not the
    process."""

    def __init__(self, connection, name, delivery="fast", epoch=0, queue=10000):
        self.connection, self.name, self.epoch, self.limit = connection, name, epoch, queue
        self.durable = delivery == "durable"
        self.instance = random.getrandbits(53)
        self.queue = deque()  # (length, item)
        self.front = 0
        self.sent = 0
        self.state = "away"
        self.link = None
        self.ended = None
        self.closing = self.closed = False
        self._changed = asyncio.Event()

    async def send(self, message, trace=None):
        """Takes a message; waits for room. `trace`: (traceparent, tracestate or None) of W3C."""
        data = encode(message)
        if len(data) > MAX_MESSAGE:
            raise LinkError(f"a message of {len(data)} bytes is longer than the {MAX_MESSAGE} that a link carries")
        while len(self.queue) >= self.limit and not self.ended:
            await self._change()
        if self.ended:
            raise LinkError(f"the link has ended: {self.ended}")
        if self.closing:
            raise LinkError("the link is closed")
        item = [data, *[part for part in trace if part]] if trace else data
        self.queue.append((len(data), item))
        self.connection._wake()

    async def drained(self):
        """Waits until all has been sent, on a durable link confirmed."""
        while self.queue and not self.ended:
            await self._change()
        if self.ended:
            raise LinkError(f"the link has ended: {self.ended}")

    async def close(self):
        """Takes no more; when all is sent (durable: confirmed) the link is closed."""
        self.closing = True
        self.connection._wake()
        while not (self.closed or self.ended or self.state == "away"):
            await self._change()

    async def _change(self):
        self._changed.clear()
        await self._changed.wait()

    def _connected(self, link):
        self.link, self.sent = link, 0
        self.state = "away" if self.ended or self.closed else "to open"

    def _disconnected(self):
        self.sent, self.state = 0, "away"
        self._changed.set()

    def _ack(self, epoch, confirmed, received):
        if epoch != self.epoch or self.state not in ("opening", "open"):
            return
        if self.durable:
            gone = min(max(confirmed - self.front, 0), len(self.queue))
            for _ in range(gone):
                self.queue.popleft()
            self.front += gone
            self.sent = max(self.sent - gone, 0)
            if self.state == "opening":
                self.sent = min(max(received - self.front, 0), len(self.queue))
        self.state = "open"
        self._changed.set()

    def _credit(self, messages, size):
        self.credit = [messages, size]

    def _fault(self, code, text):
        self.sent, self.state = 0, "away"
        if code in (STALE_EPOCH, DELIVERY):
            self.ended = text
        elif code == GAP:
            self.state = "to open"
        else:
            asyncio.get_running_loop().call_later(0.2, self._again, self.link)
        self._changed.set()

    def _again(self, link):
        if self.link == link and self.state == "away" and self.connection.ready:
            self.state = "to open"
            self.connection._wake()

    def _poll(self, write):
        """Hands what may be written to `write`."""
        if self.state == "to open":
            self.credit, self.used = [0, 0], [0, 0]
            delivery = DURABLE if self.durable else FAST
            write([OPEN, self.link, self.name, self.epoch, self.instance, self.front, delivery])
            self.state = "opening"
        if self.state != "open":
            return
        changed = False
        while True:
            items, size, at = [], 0, self.sent
            # (a deque is slow in its middle: what is sent of a durable link is skipped once a batch)
            for length, item in _from(self.queue, self.sent):
                more = size + length
                if self.used[0] + len(items) >= self.credit[0] or self.used[1] + more > self.credit[1]:
                    break
                if len(items) >= BATCH_MESSAGES or (items and more > BATCH_BYTES):
                    break
                items.append(item)
                size = more
            if not items:
                break
            write([BATCH, self.link, self.epoch, self.front + at, items])
            self.used[0] += len(items)
            self.used[1] += size
            changed = True
            if self.durable:
                self.sent += len(items)
            else:
                for _ in items:
                    self.queue.popleft()
                self.front += len(items)
        if self.closing and not self.queue:
            write([CLOSE, self.link])
            self.closed, self.state = True, "away"
            self.connection._forget(self)
            changed = True
        if changed:
            self._changed.set()


def _from(queue, start):
    for at, item in enumerate(queue):
        if at >= start:
            yield item


class Receiver:
    """The receiving end of a link. Messages are handed to `handler(message, about)` one after the other; when it has
    returned, the message is confirmed. `about`: a dict with `position` (epoch, instance, sequence) and `trace`."""

    def __init__(self, connection, name, handler, delivery="fast", window=4096, start=None):
        self.connection, self.name, self.handler, self.window = connection, name, handler, window
        self.durable = delivery == "durable"
        self.window_bytes = 2 * MAX_MESSAGE
        self.expected = list(start) if start else None  # epoch, instance, sequence
        self.generation = 0
        self.held = deque()
        self.held_bytes = 0
        self.lost = self.duplicates = 0
        self.link = None
        self.closed = False  # by the last sender
        self._task = None

    def _opened(self, link, epoch, instance, first, delivery):
        if (delivery == DURABLE) != self.durable:
            return [DELIVERY, f"link '{self.name}': both sides must want the same delivery"]
        known = self.expected
        if known and known[0] > epoch:
            return [STALE_EPOCH, f"link '{self.name}' is in epoch {known[0]}; a sender of epoch {epoch} may send no more"]
        if known and known[:2] == [epoch, instance]:
            self.lost += max(first - known[2], 0)
            known[2] = max(first, known[2])
        else:
            self.expected = [epoch, instance, first]
            self.generation += 1
        self.link, self.told, self.closed = link, None, False
        self.given, self.used = [0, 0], [0, 0]
        return None

    def _batch(self, epoch, first, items):
        expected = self.expected
        if epoch != expected[0]:
            return [STALE_EPOCH, f"link '{self.name}' is in epoch {expected[0]}"]
        if first > expected[2]:
            missing = first - expected[2]
            if self.durable:
                self.link = None
                return [GAP, f"{missing} messages are missing on link '{self.name}': open it again"]
            self.lost += missing
            expected[2] = first
        for sequence, item in enumerate(items, first):
            data, *trace = item if isinstance(item, (list, tuple)) else (item,)
            self.used[0] += 1
            self.used[1] += len(data)
            if sequence < expected[2]:
                self.duplicates += 1
                continue
            self.held.append((self.generation, tuple(expected), tuple(trace) or None, data))
            self.held_bytes += len(data)
            expected[2] += 1
        if self.used[0] > self.given[0] or self.used[1] > self.given[1]:
            raise LinkError("more was sent than there was credit for")
        if self.held and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return None

    async def _run(self):
        done = 0
        while self.held:
            _, position, trace, data = self.held[0]
            try:
                await self.handler(decode(data), {"position": position, "trace": trace})
            except Exception as error:  # noqa: BLE001 (what a handler throws is its author's to see, and ends nothing)
                self.connection._report(error)
            self.held.popleft()
            self.held_bytes -= len(data)
            done += 1
            if done >= 256 or not self.held:
                done = 0
                self.connection._wake()
                await asyncio.sleep(0)
        self._task = None

    def _disconnected(self):
        self.link = None

    def _poll(self, write):
        if self.link is None:
            return
        first = next((held for held in self.held if held[0] == self.generation), None)
        confirmed = first[1][2] if first else self.expected[2]
        if self.told is None or (self.durable and self.told != confirmed):
            write([ACK, self.link, self.expected[0], confirmed, self.expected[2]])
            self.told = confirmed
        held = (len(self.held), self.held_bytes)
        windows = (self.window, self.window_bytes)
        could = [used + window - has for used, window, has in zip(self.used, windows, held)]
        worth = (
            more > had and had - used <= window / 2 and (more - had >= window / 4 or not has)
            for more, had, used, window, has in zip(could, self.given, self.used, windows, held)
        )
        if any(worth):
            self.given = [max(pair) for pair in zip(could, self.given)]
            write([CREDIT, self.link, *self.given])


class Connection:
    """A connection to a process with links; see `connect`."""

    def __init__(self, address, node, peer=None, ping_after=0.5, dead_after=1.5, backoff=(0.05, 2.0), report=print):
        self.address, self.node, self.peer = _target(address), node, peer
        self.ping_after, self.dead_after, self.backoff, self._report = ping_after, dead_after, backoff, report
        self.senders, self.receivers = [], {}
        self.ready = self.closing = False
        self._awake = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def sender(self, name, **options):
        """The sending end of a link: delivery ("fast", "durable"), epoch, queue."""
        sender = Sender(self, name, **options)
        self.senders.append(sender)
        if self.ready:
            self._open(sender)
        return sender

    def receiver(self, name, handler, **options):
        """The receiving end of a link: delivery, window, start; `handler` takes its messages."""
        if name in self.receivers:
            raise LinkError(f"there is a receiver of link '{name}' already")
        self.receivers[name] = Receiver(self, name, handler, **options)
        return self.receivers[name]

    async def close(self):
        """Closes the links, when what they have is sent, and the connection."""
        await asyncio.gather(*(sender.close() for sender in list(self.senders)))
        self.closing = True
        self._wake()
        if not self.ready:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self):
        self._awake.set()

    def _open(self, sender):
        self.numbers += 1
        self.outgoing[self.numbers] = sender
        sender._connected(self.numbers)
        self._wake()

    def _forget(self, sender):
        self.senders.remove(sender)
        self.outgoing.pop(sender.link, None)

    async def _keep(self):
        pause = 0.0
        while not self.closing:
            was = False
            try:
                kind, *where = self.address
                opening = asyncio.open_connection(*where) if kind == "tcp" else asyncio.open_unix_connection(*where)
                reader, writer = await asyncio.wait_for(opening, self.dead_after)
                was = await self._session(reader, writer)
            except Exception as error:  # noqa: BLE001 (whatever a peer sends, it is one connection that ends)
                was = self.ready
                if not self.closing:
                    self._report(f"the connection broke: {error!r}")
            finally:
                self.ready = False
                for end in [*self.senders, *self.receivers.values()]:
                    end._disconnected()
            least, most = self.backoff
            pause = least if was else min(max(pause * 2, least), most)
            if not self.closing:
                await asyncio.sleep(pause * random.uniform(0.5, 1))

    async def _session(self, reader, writer):
        self.links, self.outgoing, self.numbers = {}, {}, 0
        self.out, self.heard = [], time.monotonic()
        self._write([HELLO, VERSION, VERSION, self.node, {}])
        tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._flush(writer))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return True
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()

    def _write(self, frame):
        self.out.append(_framed(frame))
        self._wake()

    async def _flush(self, writer):
        while True:
            try:
                await asyncio.wait_for(self._awake.wait(), self.ping_after / 2)
            except asyncio.TimeoutError:
                silent = time.monotonic() - self.heard
                if silent > self.dead_after:
                    raise LinkError(f"the other side has been silent for {silent:.1f} s") from None
                if self.ready and silent > self.ping_after:
                    self.out.append(_framed([PING, 0]))
            self._awake.clear()
            if self.ready:
                write = lambda frame: self.out.append(_framed(frame))  # noqa: E731
                for receiver in set(self.links.values()):
                    receiver._poll(write)
                for sender in list(self.senders):
                    sender._poll(write)
            if self.closing:
                self.out.append(_framed([CLOSE, None]))
            out, self.out = self.out, []
            if out:
                writer.write(b"".join(out))
                await writer.drain()
            if self.closing:
                return

    async def _read(self, reader):
        buffer = b""
        while True:
            data = await reader.read(WRITE_BYTES)
            if not data:
                raise LinkError("the other side hung up")
            self.heard = time.monotonic()
            buffer = buffer + data if buffer else data
            at = 0
            while len(buffer) - at >= 4:
                length = int.from_bytes(buffer[at : at + 4], "little")
                if length > MAX_FRAME:
                    raise LinkError(f"a frame of {length} bytes is too long")
                if len(buffer) - at < 4 + length:
                    break
                if self._frame(decode(buffer[at + 4 : at + 4 + length])):
                    return
                at += 4 + length
            buffer = buffer[at:]
            self._wake()

    def _frame(self, frame):
        """Handles a frame. True: the other side closes the connection."""
        if not isinstance(frame, (list, tuple)) or not frame:
            raise LinkError("a frame is no array")
        kind, *fields = frame
        if kind == FAULT and fields[0] is None:
            raise LinkError(str(fields[2]))
        if not self.ready:
            if kind != WELCOME:
                raise LinkError("the other side does not answer with its name")
            version, name = fields[:2]
            if version != VERSION:
                raise LinkError(f"the other side chose version {version}")
            if self.peer and self.peer != name:
                raise LinkError(f"'{name}' answered where '{self.peer}' was expected")
            self.ready = True
            for sender in self.senders:
                self._open(sender)
            return False
        link = fields[0] if fields else None
        if kind == OPEN:
            receiver = self.receivers.get(fields[1])
            if receiver is None:
                fault = [UNKNOWN_LINK, f"'{self.node}' has no receiver of link '{fields[1]}'"]
            else:
                fault = receiver._opened(link, *fields[2:6])
                if fault is None:
                    self.links[link] = receiver
            if fault:
                self._write([FAULT, link, *fault])
        elif kind == BATCH:
            receiver = self.links.get(link)
            if receiver is not None and receiver.link == link:
                fault = receiver._batch(*fields[1:4])
                if fault:
                    self._write([FAULT, link, *fault])
        elif kind == CLOSE:
            if link is None:
                return True
            receiver = self.links.pop(link, None)
            if receiver is not None:
                receiver._disconnected()
                receiver.closed = True
        elif kind in (ACK, CREDIT, FAULT):
            sender = self.outgoing.get(link)
            if sender is not None:
                {ACK: sender._ack, CREDIT: sender._credit, FAULT: sender._fault}[kind](*fields[1 : 4 if kind == ACK else 3])
        elif kind == PING:
            self._write([PONG, link])
        elif kind != PONG and kind < SKIPPABLE:
            raise LinkError(f"a frame is of kind {kind}, which may not be skipped")
        return False


def _target(address):
    kind, _, rest = address.partition(":")
    rest = rest[2:] if rest.startswith("//") else rest
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        if port.isdigit():
            return ("tcp", host.strip("[]"), int(port))
    elif kind == "unix" and rest:
        return ("unix", rest)
    raise LinkError(f"'{address}' is no address of a link: write tcp://HOST:PORT or unix:PATH")


def connect(address, node, **options):
    """A connection to a process with links, e.g. `tcp://127.0.0.1:7700` or `unix:/run/agent.sock`; to be called within a
    running event loop. `peer`: the name that is expected there."""
    return Connection(address, node, **options)
