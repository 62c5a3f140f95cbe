"""A cheap client: one thread, many keep-alive connections, each asking again as soon as it was answered."""

from __future__ import annotations

import re
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Connection:
    """One client."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = memoryview(request)
        self._unsent = memoryview(b"")
        self._received = b""

    def ask(self) -> None:
        self._unsent = self._request
        self.go_on_sending()

    def go_on_sending(self) -> bool:
        """True once the whole request has gone."""
        if self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return not self._unsent

    def answered(self) -> bool:
        """Reads what is there; True when an answer is whole. Anything but 200 ends the measurement."""
        chunk = self.socket.recv(1 << 20)
        assert chunk, "the server closed the connection"
        self._received += chunk
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = _LENGTH.search(head)
        assert length is not None
        if len(body) < int(length[1]):
            return False
        assert head.startswith(b"HTTP/1.1 200"), self._received[:500]
        self._received = b""
        return True


def per_second(port: int, request: bytes, clients: int, seconds: float) -> float:
    """Answers per second to so many clients."""
    with selectors.DefaultSelector() as selector:
        connections = [Connection(port, request) for _ in range(clients)]
        for connection in connections:
            connection.socket.setblocking(False)
            connection.ask()
            selector.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
        began, answers = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            for key, events in selector.select(1):
                connection = key.data
                wants = selectors.EVENT_READ
                if events & selectors.EVENT_READ and connection.answered():
                    answers += 1
                    connection.ask()
                if not connection.go_on_sending():
                    wants |= selectors.EVENT_WRITE
                if wants != key.events:
                    selector.modify(connection.socket, wants, connection)
        taken = time.perf_counter() - began
        for connection in connections:
            connection.socket.close()
    return answers / taken


def milliseconds(port: int, request: bytes, seconds: float) -> float:
    """The median time of an answer to a single client."""
    connection = Connection(port, request)
    times: list[float] = []
    began = time.perf_counter()
    while not times or time.perf_counter() - began < seconds:
        asked = time.perf_counter()
        connection.socket.sendall(request)
        while not connection.answered():
            pass
        times.append(time.perf_counter() - asked)
    connection.socket.close()
    return statistics.median(times) * 1000


def ask(port: int, request: bytes) -> None:
    """One request on a connection of its own."""
    connection = Connection(port, request)
    connection.socket.sendall(request)
    while not connection.answered():
        pass
    connection.socket.close()


def call_milliseconds(call: Callable[[], object], seconds: float) -> float:
    """The median time of a call in this process."""
    times = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        asked = time.perf_counter()
        call()
        times.append(time.perf_counter() - asked)
    return statistics.median(times) * 1000


def calls_per_second(call: Callable[[], object], threads: int, seconds: float) -> float:
    """Calls per second from so many threads of this process."""
    counts = [0] * threads
    began = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - began < seconds:
            call()
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - began)
