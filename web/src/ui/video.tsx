import { useEffect, useRef, useState } from 'preact/hooks'

interface VideoProps {
  readonly stream: MediaStream | undefined
  readonly testId: string
  readonly label: string
  readonly muted?: boolean
  readonly className: string
  /** Tells whether there are pictures to show, as opposed to sound alone. */
  readonly onPicture?: (has: boolean) => void
}

export function Video({ stream, testId, label, muted = false, className, onPicture }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null)
  const [blocked, setBlocked] = useState(false)

  useEffect(() => {
    const video = element.current
    if (!video || video.srcObject === (stream ?? null)) return
    video.srcObject = stream ?? null
    if (stream) play(video, setBlocked)
  }, [stream])

  return (
    <>
      <video
        ref={element}
        class={className}
        data-testid={testId}
        aria-label={label}
        autoplay
        playsInline
        muted={muted}
        onResize={(event) => onPicture?.(event.currentTarget.videoWidth > 0)}
        onEmptied={() => onPicture?.(false)}
      />
      {blocked && (
        <button type="button" class="button button-primary unblock" onClick={() => play(element.current, setBlocked)}>
          Turn on sound
        </button>
      )}
    </>
  )
}

/** Browsers that saw no gesture yet refuse to play sound. */
function play(video: HTMLVideoElement | null, setBlocked: (blocked: boolean) => void): void {
  video?.play().then(
    () => setBlocked(false),
    (error: DOMException) => setBlocked(error.name === 'NotAllowedError'),
  )
}
