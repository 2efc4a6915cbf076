"""A process that behaves at its border as vLLM does while it starts and stops, on a unix socket, without a model.

`python fake_vllm.py SOCKET [--health STATUS]`; SIGTERM makes it leave with status 0 and say so.
"""

import asyncio
import signal
import sys

from aiohttp import web


async def main(socket: str, health: int) -> None:
    app = web.Application()

    async def answer_health(_: web.Request) -> web.Response:
        return web.Response(status=health)

    async def answer_models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "fake", "max_model_len": 128}]})

    app.router.add_get("/health", answer_health)
    app.router.add_get("/v1/models", answer_models)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()
    sys.stdout.write("left in order\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 200))
