"""Drives Debian's python3-socketio for the tests of internal/e2e.

Speaks the same JSON lines as npm/device.js, as far as a test needs them:
commands {id, do, device, ...} on stdin, {id, result} or {id, error} and
{device, note, args} on stdout. The process ends when stdin does.
"""

import asyncio
import base64
import json
import os
import sys

import aiohttp
import socketio

ACK_TIMEOUT_S = 20

devices = {}


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def to_wire(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$binary": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [to_wire(v) for v in value]
    if isinstance(value, dict):
        return {k: to_wire(v) for k, v in value.items()}
    return value


def from_wire(value):
    if isinstance(value, list):
        return [from_wire(v) for v in value]
    if isinstance(value, dict):
        if isinstance(value.get("$binary"), str):
            return base64.b64decode(value["$binary"])
        return {k: from_wire(v) for k, v in value.items()}
    return value


class Device:
    """One client and what it notices."""

    def __init__(self, name, options):
        self.name = name
        self.io = socketio.AsyncClient(
            reconnection_delay=options.get("reconnectionDelay", 1000) / 1000,
            reconnection_delay_max=options.get("reconnectionDelayMax", 5000) / 1000,
            randomization_factor=0,
        )
        self.io.on("connect", self.connected)
        self.io.on("disconnect", self.disconnected)
        self.io.on("connect_error", self.refused)
        self.io.on("*", self.heard)

    def note(self, name, *args):
        say({"device": self.name, "note": name, "args": [to_wire(a) for a in args]})

    def connected(self):
        self.note("connect", self.io.get_sid(), self.io.transport(), False)

    def disconnected(self):
        self.note("disconnect", "")

    def refused(self, error=None):
        error = error if isinstance(error, dict) else {"message": error}
        self.note("connect_error", error.get("message"), error.get("data"))

    async def heard(self, event, *args):
        self.note("event", event, *args)
        return tuple(args)


async def do_open(command):
    options = command.get("options") or {}
    if options.get("compress"):  # which its library does not offer by itself
        connect = aiohttp.ClientSession.ws_connect
        aiohttp.ClientSession.ws_connect = lambda *args, **more: connect(*args, compress=15, **more)
    device = Device(command["device"], options)
    devices[command["device"]] = device
    try:
        await device.io.connect(
            command["url"],
            auth=options.get("auth"),
            transports=options.get("transports"),
            wait=False,  # it would wait in vain for a namespace that refuses
        )
        if device.io.transport() == "websocket":
            device.note("upgrade", "websocket")
    except socketio.exceptions.ConnectionError:
        pass  # noted by refused


async def do_emit(command):
    device = devices[command["device"]]
    args = tuple(from_wire(command.get("args") or []))
    if not command.get("ack"):
        await device.io.emit(command["event"], args)
        return None
    answer = asyncio.get_running_loop().create_future()
    await device.io.emit(command["event"], args, callback=lambda *back: answer.set_result(back))
    return to_wire(list(await asyncio.wait_for(answer, ACK_TIMEOUT_S)))


async def do_close(command):
    await devices.pop(command["device"]).io.disconnect()


COMMANDS = {"open": do_open, "emit": do_emit, "close": do_close}


async def run(line):
    command = json.loads(line)
    try:
        say({"id": command["id"], "result": await COMMANDS[command["do"]](command)})
    except Exception as err:  # the test shall read it, whatever it is
        say({"id": command["id"], "error": repr(err)})


async def main():
    lines = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    running = set()
    while line := await lines.readline():
        task = asyncio.create_task(run(line))
        running.add(task)
        task.add_done_callback(running.discard)
    os._exit(0)  # a client that is reconnecting would go on for ever


asyncio.run(main())
