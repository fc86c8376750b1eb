"""A TCP proxy that holds back every byte for some milliseconds in each direction: a network between a test and its server.

What a client does in two round trips then leaves a wide gap in the middle, so a check that is not atomic shows.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator

_Chunk = tuple[float, bytes]


@contextlib.contextmanager
def delayed(port: int, delay_seconds: float, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Forward a free loopback port (yielded) to ``port``, ``delay_seconds`` late each way, until the block ends.

    With ``tls`` the yielded port speaks TLS; what is forwarded is in the clear.
    """
    proxy = _Proxy(port, delay_seconds, tls)
    thread = threading.Thread(target=asyncio.run, args=(proxy.serve(),), daemon=True)
    thread.start()
    proxy.ready.wait(timeout=10)
    try:
        yield proxy.port
    finally:
        proxy.stop()
        thread.join(timeout=10)


class _Proxy:
    def __init__(self, target: int, delay_seconds: float, tls: ssl.SSLContext | None) -> None:
        self._target = target
        self._tls = tls
        self._delay_seconds = delay_seconds
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.ready = threading.Event()

    async def serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self._over.wait()
        server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # either side hung up, or the test is over: both ends are closed below
        finally:
            self._connections.discard(task)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            both = [asyncio.create_task(self._carry(*pair)) for pair in ((reader, server_writer), (server_reader, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        finally:
            server_writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on in order, each chunk as late as it is due, however long the queue before it is."""
        chunks: asyncio.Queue[_Chunk] = asyncio.Queue()
        sender = asyncio.create_task(self._send(chunks, writer))
        try:
            while data := await reader.read(65536):
                chunks.put_nowait((self._loop.time() + self._delay_seconds, data))
            chunks.put_nowait((self._loop.time() + self._delay_seconds, b""))
            await sender
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, chunks: "asyncio.Queue[_Chunk]", writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await chunks.get()
            await asyncio.sleep(due - self._loop.time())
            if not data:
                return
            writer.write(data)
            await writer.drain()
