/*
 * Speaks the protocol of MDN's tutorial and no more of ours: no seq, no ack, no ring, no answer by hand. It takes what it
 * is told for true, calls whoever it likes, renegotiates from the called side, and clears its target before it hangs up.
 */
const relay = { urls: 'turn:127.0.0.1', username: 'webrtc', credential: 'turnserver' }

let socket
let id
let me
let target = null
let peer = null

const element = (selector) => document.querySelector(selector)
const send = (message) => socket.send(JSON.stringify(message))

function logIn() {
  socket = new WebSocket('ws://127.0.0.1:6503', 'json')
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    handlers[message.type]?.(message)
  }
}

const handlers = {
  id(message) {
    id = message.id
    me = element('#name').value
    send({ type: 'username', name: me, date: Date.now(), id })
  },
  rejectusername({ name }) {
    me = name
    write(`Your username has been set to ${name}.`)
  },
  message({ name, text, date }) {
    write(`(${new Date(date).toLocaleTimeString()}) <b>${name}</b>: ${text}`)
  },
  userlist({ users }) {
    const items = users.map((name) => {
      const item = document.createElement('li')
      item.textContent = name
      item.onclick = () => invite(name)
      return item
    })
    element('.userlistbox').replaceChildren(...items)
  },
  async 'video-offer'({ name, sdp }) {
    target = name
    const first = peer === null
    if (first) connect()
    await peer.setRemoteDescription(sdp)
    // Fresh transceivers beside the offered ones: what this side sends is offered by it in a second round.
    if (first) await sendMedia()
    await peer.setLocalDescription(await peer.createAnswer())
    send({ type: 'video-answer', name: me, target, sdp: peer.localDescription })
  },
  async 'video-answer'({ sdp }) {
    await peer.setRemoteDescription(sdp)
  },
  async 'new-ice-candidate'({ candidate }) {
    await peer.addIceCandidate(candidate)
  },
  'hang-up': close,
}

function write(html) {
  element('.chatbox').innerHTML += `${html}<br>`
}

function say() {
  send({ type: 'message', text: element('#text').value, id, date: Date.now() })
}

async function invite(name) {
  if (peer) return alert('There is a call already.')
  if (name === me) return alert('That is you.')
  target = name
  connect()
  await sendMedia()
}

function connect() {
  peer = new RTCPeerConnection({ iceServers: [relay] })
  peer.onicecandidate = ({ candidate }) => {
    if (candidate) send({ type: 'new-ice-candidate', target, candidate })
  }
  peer.ontrack = ({ streams }) => {
    element('#received_video').srcObject = streams[0]
    element('#hangup-button').disabled = false
  }
  peer.oniceconnectionstatechange = () => {
    if (['closed', 'failed', 'disconnected'].includes(peer.iceConnectionState)) close()
  }
  peer.onnegotiationneeded = async () => {
    const offer = await peer.createOffer()
    if (peer.signalingState !== 'stable') return
    await peer.setLocalDescription(offer)
    send({ type: 'video-offer', name: me, target, sdp: peer.localDescription })
  }
}

async function sendMedia() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  element('#local_video').srcObject = stream
  for (const track of stream.getTracks()) peer.addTransceiver(track, { streams: [stream] })
}

function close() {
  peer?.close()
  peer = null
  target = null
  for (const track of element('#local_video').srcObject?.getTracks() ?? []) track.stop()
  element('#hangup-button').disabled = true
}

function hangUp() {
  close()
  send({ type: 'hang-up', name: me, target })
}

addEventListener('DOMContentLoaded', () => {
  element('[name=login]').onclick = logIn
  element('#send').onclick = say
  element('#hangup-button').onclick = hangUp
})
