"""A TCP proxy that cuts a connection every so many replies, before the reply has passed: what was asked was done, nobody was told."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def cutting(port: int, every: int) -> Iterator[int]:
    """Forward a free loopback port (yielded) to ``port`` until the block ends, cutting at each reply number divisible by ``every``."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = _Proxy(listener, port, every)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        proxy.is_over.set()
        thread.join(timeout=10)


class _Proxy:
    """One thread that carries bytes both ways for all connections."""

    def __init__(self, listener: socket.socket, target: int, every: int) -> None:
        self._listener = listener
        self._target = target
        self._every = every
        self._replies = 0
        self._other: dict[socket.socket, socket.socket] = {}
        self._servers: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self.is_over = threading.Event()

    def serve(self) -> None:
        """Carry until the end, then hang up everywhere."""
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self.is_over.is_set():
            for key, _ in self._selector.select(timeout=0.05):
                found = key.fileobj
                assert isinstance(found, socket.socket)
                if found is self._listener:
                    self._accept()
                elif found in self._other:
                    self._carry(found)
        for each in list(self._other):
            each.close()
        self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        self._servers.add(server)
        for one, other in ((client, server), (server, client)):
            self._other[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _carry(self, source: socket.socket) -> None:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if source in self._servers and data:
            self._replies += 1
            if self._replies % self._every == 0:
                data = b""
        if not data:
            self._cut(source)
            return
        with contextlib.suppress(OSError):
            self._other[source].sendall(data)

    def _cut(self, one: socket.socket) -> None:
        for each in (one, self._other[one]):
            self._selector.unregister(each)
            self._servers.discard(each)
            del self._other[each]
            each.close()
