import asyncio
from contextlib import asynccontextmanager

from aiohttp import web

from transcription_kube.access import Access
from transcription_kube.client import ApiClient
from transcription_kube.throttle import Retries

JOBS = "/apis/batch/v1/namespaces/media/jobs"
EVENTS = "/api/v1/namespaces/media/events"


class Server:
    """Gives the answers in order, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    async def handle(self, request):
        self.asked.append((request.method, request.path, await request.text(), request.headers))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return await answer(request)


def status(code, message="no", **headers):
    async def answer(_):
        return web.json_response({"message": message}, status=code, headers=headers)

    return answer


def fine(body=None):
    async def answer(_):
        return web.json_response(body or {})

    return answer


async def hang_up(request):
    request.transport.close()
    return web.Response()


def stream(*pieces, end=True):
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if end is None:
            request.transport.close()
        elif not end:
            await asyncio.Event().wait()
        return response

    return answer


@asynccontextmanager
async def talking(*answers, **arguments):
    server, waits = Server(*answers), []

    async def sleep(seconds):
        waits.append(seconds)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    access = Access(f"http://127.0.0.1:{port}", lambda: "Bearer secret")
    client = ApiClient(access, sleep=sleep, **arguments)
    try:
        yield client, server, waits
    finally:
        await client.close()
        await runner.cleanup()


@asynccontextmanager
async def closing_client(access):
    client = ApiClient(access, retries=Retries(tries=1))
    try:
        yield client
    finally:
        await client.close()
