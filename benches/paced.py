"""Messages told at a steady rate over WebSockets that never block, and the times until something came of them."""

import array
import select
import time

# Durations are counted in steps of 10 µs.
STEPS = 100_000
LONGEST = 60

PONG = b"\x8a\x80\0\0\0\0"


class Times:
    """Durations; those beyond a minute count as a minute."""

    def __init__(self):
        self.counts = array.array("L", bytes(8 * (LONGEST * STEPS + 1)))

    def add(self, seconds):
        self.counts[min(max(int(seconds * STEPS), 0), LONGEST * STEPS)] += 1

    def within(self, *parts):
        """Milliseconds within which each of these parts lie, in rising order; 1 is all of them."""
        found, seen, total = [], 0, sum(self.counts)
        for step, count in enumerate(self.counts):
            seen += count
            while count and len(found) < len(parts) and seen >= parts[len(found)] * total:
                found.append((step + 1) / STEPS * 1000)
        return found + [float("nan")] * (len(parts) - len(found))


class Socket:
    """The client's end of a WebSocket, once it is open. What cannot be sent yet waits here."""

    def __init__(self, stream):
        stream.setblocking(False)
        self.stream, self.receive = stream, stream.recv
        self.part, self.waiting = b"", bytearray()

    def fileno(self):
        return self.stream.fileno()

    def send(self, frames):
        self.waiting += frames
        self.flush()

    def flush(self):
        if self.waiting:
            try:
                del self.waiting[: self.stream.send(self.waiting)]
            except BlockingIOError:
                pass

    def texts(self):
        """All texts that are here; answers pings."""
        try:
            data = self.receive(1 << 16)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionError("the other side closed a WebSocket")
        if self.part:
            data = self.part + data
        texts, at, end = [], 0, len(data)
        while end - at >= 2:
            length, begin = data[at + 1], at + 2
            if length > 125:
                size = 2 if length == 126 else 8
                if end - begin < size:
                    break
                length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
            if begin + length > end:
                break
            kind, text = data[at] & 15, data[begin : begin + length]
            at = begin + length
            if kind == 1:
                texts.append(text)
            elif kind == 9:
                # A mask of zeros leaves what the ping said as it is.
                self.send(PONG[:1] + bytes([0x80 | len(text)]) + PONG[2:] + text)
            elif kind == 8:
                raise ConnectionError(f"the other side closed a WebSocket: {text[2:].decode()}")
        self.part = data[at:]
        return texts


class Pace:
    """Sends each frame when it is due."""

    def __init__(self, socket, frames, rate):
        self.socket, self.frames, self.rate = socket, frames, rate
        self.began, self.sent = time.monotonic(), 0

    def due(self, number):
        return self.began + number / self.rate

    def send_due(self, now):
        """Gives the time at which it has to be called again."""
        until = min(int((now - self.began) * self.rate) + 1, len(self.frames))
        if until > self.sent:
            self.socket.send(b"".join(self.frames[self.sent : until]))
            self.sent = until
        else:
            self.socket.flush()
        return self.due(self.sent) if self.sent < len(self.frames) else now + 0.05


def ready(poll, until):
    """Descriptors that have something to read, as soon as there are any; epoll alone waits whole milliseconds."""
    select.select([poll], [], [], max(until - time.monotonic(), 0))
    return [descriptor for descriptor, _ in poll.poll(0)]
