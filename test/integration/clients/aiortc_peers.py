"""Two aiortc peers in one process talk over a data channel through the relay only.

Argument: JSON {"iceServers": RTCIceServer[], "messages": int, "size": characters of each}.
Prints JSON {"candidates": types in the selected pairs, "echoed": messages that came back as they went}.
"""

import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription


def relay_only(description: RTCSessionDescription) -> RTCSessionDescription:
    """aiortc has no transport policy: the other side is told the relayed candidate alone."""
    lines = description.sdp.split("\r\n")
    kept = [line for line in lines if not line.startswith("a=candidate") or " typ relay" in line]
    return RTCSessionDescription("\r\n".join(kept), description.type)


def selected_candidates(peer: RTCPeerConnection) -> set:
    """The types in the pair that ICE chose; aiortc shows them nowhere but inside."""
    pair = peer.sctp.transport.transport._connection._nominated[1]
    return {pair.local_candidate.type, pair.remote_candidate.type}


async def main(task: dict) -> dict:
    servers = RTCConfiguration([RTCIceServer(**server) for server in task["iceServers"]])
    caller, callee = RTCPeerConnection(servers), RTCPeerConnection(servers)
    channel = caller.createDataChannel("echo")
    wanted = [(f"{number} " * task["size"])[: task["size"]] for number in range(task["messages"])]
    returned: list = []
    done = asyncio.get_running_loop().create_future()

    @callee.on("datachannel")
    def _(incoming) -> None:
        incoming.on("message", incoming.send)

    @channel.on("open")
    def _() -> None:
        for message in wanted:
            channel.send(message)

    @channel.on("message")
    def _(message: str) -> None:
        returned.append(message)
        if len(returned) == len(wanted):
            done.set_result(None)

    await caller.setLocalDescription(await caller.createOffer())
    await callee.setRemoteDescription(relay_only(caller.localDescription))
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.setRemoteDescription(relay_only(callee.localDescription))
    await asyncio.wait_for(done, 30)
    candidates = selected_candidates(caller) | selected_candidates(callee)
    await asyncio.gather(caller.close(), callee.close())
    return {
        "candidates": sorted(candidates),
        "echoed": sum(got == sent for got, sent in zip(returned, wanted)),
    }


print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
