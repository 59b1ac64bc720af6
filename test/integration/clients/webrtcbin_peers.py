"""Two GStreamer webrtcbins (ICE by libnice) in one process talk over a data channel through the relay only.

Argument: JSON {"iceServers": RTCIceServer[] with one URL, "messages": int, "size": characters of each}.
Prints JSON {"candidates": types that the peers offered, "echoed": messages that came back as they went}.
"""

import json
import os
import sys
from urllib.parse import quote

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("Nice", "0.1")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC, Nice  # noqa: E402


def turn_uri(server: dict) -> str:
    """GStreamer's form: scheme://user:password@host:port?transport=…"""
    scheme, rest = server["urls"][0].split(":", 1)
    user, password = (quote(server[field], safe="") for field in ("username", "credential"))
    return f"{scheme}://{user}:{password}@{rest}"


class Peer:
    def __init__(self, pipeline: Gst.Pipeline, name: str, uri: str):
        self.candidates: set = set()
        self.other: "Peer | None" = None
        self.bin = Gst.ElementFactory.make("webrtcbin", name)
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.bin.set_property("ice-transport-policy", GstWebRTC.WebRTCICETransportPolicy.RELAY)
        self.bin.set_property("turn-server", uri)
        # By itself libnice leaves loopback out, and what it sends from another address leaves by that interface
        # (IP_UNICAST_IF). The agent is kept: giving it back would free it under webrtcbin.
        loopback = Nice.Address.new()
        loopback.set_from_string("127.0.0.1")
        self.ice = self.bin.get_property("ice-agent")
        self.ice.get_property("agent").add_local_address(loopback)
        self.bin.connect("on-ice-candidate", self.on_candidate)
        pipeline.add(self.bin)

    def on_candidate(self, _bin, index: int, candidate: str) -> None:
        self.candidates.add(candidate.split(" typ ")[1].split()[0])
        self.other.bin.emit("add-ice-candidate", index, candidate)

    def describe(self, signal: str, then) -> None:
        """Makes an offer or answer, sets it here and gives it to `then`."""

        def made(promise: Gst.Promise) -> None:
            promise.wait()
            # What the reply holds ends with it: the other side gets a copy.
            reply = promise.get_reply()
            description = reply.get_value(signal.removeprefix("create-"))
            self.bin.emit("set-local-description", description, Gst.Promise.new())
            _, sdp = GstSdp.SDPMessage.new_from_text(description.sdp.as_text())
            then(GstWebRTC.WebRTCSessionDescription.new(description.type, sdp))

        self.bin.emit(signal, None, Gst.Promise.new_with_change_func(made))

    def accept(self, description, then=lambda: None) -> None:
        def set_(promise: Gst.Promise) -> None:
            promise.wait()
            then()

        self.bin.emit("set-remote-description", description, Gst.Promise.new_with_change_func(set_))


def main(task: dict) -> dict:
    Gst.init(None)
    loop = GLib.MainLoop()
    pipeline = Gst.Pipeline.new()
    uri = turn_uri(task["iceServers"][0])
    caller, callee = Peer(pipeline, "caller", uri), Peer(pipeline, "callee", uri)
    caller.other, callee.other = callee, caller
    wanted = [(f"{number} " * task["size"])[: task["size"]] for number in range(task["messages"])]
    returned: list = []

    def on_message(_channel, message: str) -> None:
        returned.append(message)
        if len(returned) == len(wanted):
            loop.quit()

    def on_open(opened) -> None:
        for message in wanted:
            opened.emit("send-string", message)

    def on_channel(_bin, incoming) -> None:
        incoming.connect("on-message-string", lambda _, message: incoming.emit("send-string", message))

    callee.bin.connect("on-data-channel", on_channel)
    pipeline.set_state(Gst.State.PLAYING)
    channel = caller.bin.emit("create-data-channel", "echo", None)
    channel.connect("on-open", on_open)
    channel.connect("on-message-string", on_message)
    caller.describe(
        "create-offer",
        lambda offer: callee.accept(
            offer, lambda: callee.describe("create-answer", lambda answer: caller.accept(answer))
        ),
    )
    GLib.timeout_add_seconds(20, loop.quit)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    return {
        "candidates": sorted(caller.candidates | callee.candidates),
        "echoed": sum(got == sent for got, sent in zip(returned, wanted)),
    }


print(json.dumps(main(json.loads(sys.argv[1]))), flush=True)
# Without an interpreter's clean-up, which would free the agents a second time.
os._exit(0)
