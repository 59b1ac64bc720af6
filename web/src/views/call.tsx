import type { Call, CallStatsSample } from '@hairpin/client'
import { useState } from 'preact/hooks'
import { Avatar } from '../ui/avatar.tsx'
import { Elapsed } from '../ui/elapsed.tsx'
import { HangUpButton } from '../ui/hang-up-button.tsx'
import { Video } from '../ui/video.tsx'
import { CostLine } from './cost-line.tsx'
import { DevicePickers, MediaControls } from './media-controls.tsx'
import { PairLine } from './pair-line.tsx'
import { RelaySwitch } from './relay-switch.tsx'

interface CallViewProps {
  readonly call: Call
  readonly stats: CallStatsSample | undefined
  readonly relayOnly: boolean
  readonly onRelayOnly: (on: boolean) => void
  readonly onDeviceFailed: (error: unknown) => void
}

export function CallView({ call, stats, relayOnly, onRelayOnly, onDeviceFailed }: CallViewProps) {
  const [picture, setPicture] = useState(false)
  const sendsVideo = (call.localStream?.getVideoTracks().length ?? 0) > 0

  return (
    <div class="call" data-state={call.state}>
      <div class="screen">
        <Video
          stream={call.remoteStream}
          testId="remote-video"
          label={`Video of ${call.peer}`}
          className={call.remoteCameraOff ? 'remote remote-off' : 'remote'}
          onPicture={setPicture}
        />
        {(!picture || call.remoteCameraOff || call.state !== 'connected') && (
          <div class={`screen-text ${picture && !call.remoteCameraOff ? 'screen-text-over' : ''}`}>
            <span class={call.state === 'ringing' || call.state === 'calling' ? 'ringing-avatar' : ''}>
              <Avatar name={call.peer} large />
            </span>
            <p class="screen-name">{call.peer}</p>
            <p>{stateText(call)}</p>
          </div>
        )}
        {remoteText(call) && (
          <span class="preview-label remote-label" data-testid="remote-label">
            {remoteText(call)}
          </span>
        )}
        {call.localStream && (
          <div class={`preview ${sendsVideo && !call.cameraOff ? '' : 'preview-off'}`}>
            <Video stream={call.localStream} testId="local-video" label="Your video" className="local" muted />
            <span class="preview-label">{previewText(call, sendsVideo)}</span>
          </div>
        )}
      </div>
      <section class="controls" aria-label="Call controls">
        <MediaControls session={call} onFailed={onDeviceFailed} />
        <HangUpButton call={call} />
        <Elapsed since={call.connectedAt} />
      </section>
      <DevicePickers session={call} />
      <div class="call-facts">
        <PairLine stats={stats} />
        <CostLine stats={stats} />
        <RelaySwitch inCall checked={relayOnly} onChange={onRelayOnly} />
      </div>
    </div>
  )
}

function stateText(call: Call): string {
  switch (call.state) {
    case 'calling':
      return 'Calling…'
    case 'waking':
      return 'Not here: waking a device…'
    case 'ringing':
      return 'Ringing…'
    case 'connecting':
      return 'Connecting…'
    case 'reconnecting':
      return 'The path was lost. Looking for another…'
    default:
      return call.remoteCameraOff ? '' : 'No picture'
  }
}

/** What the other side does not send. */
function remoteText(call: Call): string {
  return [call.remoteCameraOff ? 'camera off' : '', call.remoteMuted ? 'muted' : ''].filter(Boolean).join(' · ')
}

function previewText(call: Call, sendsVideo: boolean): string {
  const words = [!sendsVideo || call.cameraOff ? 'camera off' : '', call.muted ? 'muted' : '']
  return ['You', ...words.filter(Boolean)].join(' · ')
}
