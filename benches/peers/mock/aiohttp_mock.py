"""What one writes by hand: an aiohttp handler that reads the JSON and returns a chat answer.
Usage: aiohttp_mock.py BODY_FILE; prints `listening on URL` once it does."""

import asyncio
import json
import pathlib
import sys

from aiohttp import web


async def main(path):
    answer = json.loads(pathlib.Path(path).read_text())

    async def chat(request):
        await request.json()
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/api/chat", chat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
