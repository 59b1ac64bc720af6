import type { Room, RoomPeer } from '@hairpin/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Avatar } from '../ui/avatar.tsx'
import { HangUp } from '../ui/icons.tsx'
import { Video } from '../ui/video.tsx'
import { DevicePickers, MediaControls } from './media-controls.tsx'

interface RoomViewProps {
  readonly room: Room
  /** The address that invites others. */
  readonly link: string
  readonly name: string
  readonly onLeave: () => void
  readonly onDeviceFailed: (error: unknown) => void
}

export function RoomView({ room, link, name, onLeave, onDeviceFailed }: RoomViewProps) {
  const leave = useRef<HTMLButtonElement>(null)
  const { localStream, members } = room
  const sendsVideo = (localStream?.getVideoTracks().length ?? 0) > 0

  useEffect(() => leave.current?.focus(), [])

  return (
    <div class="call" data-testid="room" data-members={members.length + 1}>
      <ul class={`tiles tiles-${Math.min(members.length + 1, 8)}`} aria-label="Members of the room">
        <li class="tile">
          {localStream && sendsVideo && !room.cameraOff ? (
            <Video stream={localStream} testId="local-video" label="Your video" className="tile-video local" muted />
          ) : (
            <Avatar name={name} large />
          )}
          <span class="preview-label">{['You', room.muted ? 'muted' : ''].filter(Boolean).join(' · ')}</span>
        </li>
        {members.map((member) => (
          <Tile key={member.id} member={member} />
        ))}
      </ul>
      <section class="controls" aria-label="Room controls">
        <MediaControls session={room} onFailed={onDeviceFailed} />
        <button type="button" ref={leave} class="button button-danger" data-testid="leave-room" onClick={onLeave}>
          <HangUp /> Leave room
        </button>
        <Invite link={link} />
      </section>
      <DevicePickers session={room} />
    </div>
  )
}

function Tile({ member }: { readonly member: RoomPeer }) {
  const { name, state, stream, muted, cameraOff } = member
  const words = [name, muted ? 'muted' : '', state === 'connected' ? '' : stateText[state]]
  return (
    <li class="tile" data-testid={`member-${name}`} data-state={state}>
      {stream && (
        <Video
          stream={stream}
          testId={`video-${name}`}
          label={`Video of ${name}`}
          className={cameraOff ? 'tile-video remote-off' : 'tile-video'}
        />
      )}
      {(!stream || cameraOff) && <Avatar name={name} large />}
      <span class="preview-label">{words.filter(Boolean).join(' · ')}</span>
    </li>
  )
}

const stateText = {
  connecting: 'connecting…',
  connected: '',
  reconnecting: 'path lost…',
  failed: 'no path found',
  closed: '',
}

function Invite({ link }: { readonly link: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard?.writeText(link).then(
      () => setCopied(true),
      () => undefined,
    )
  }
  return (
    <>
      <a class="invite" href={link} data-testid="invite-link">
        Invite link
      </a>
      <button type="button" class="button" data-testid="copy-link" onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </>
  )
}
