import { useEffect, useRef, useState } from 'preact/hooks'

/** Plays the customer. Browsers that saw no gesture yet refuse to: then a button does. */
export function Voice({ stream, label }: { readonly stream: MediaStream | undefined; readonly label: string }) {
  const element = useRef<HTMLAudioElement>(null)
  const [blocked, setBlocked] = useState(false)

  const play = () =>
    element.current?.play().then(
      () => setBlocked(false),
      (error: DOMException) => setBlocked(error.name === 'NotAllowedError'),
    )

  useEffect(() => {
    if (!element.current) return
    element.current.srcObject = stream ?? null
    if (stream) void play()
  }, [stream])

  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: a live voice has no captions */}
      <audio ref={element} aria-label={label} data-testid="voice" autoplay />
      {blocked && (
        <button type="button" class="button button-primary" onClick={play}>
          Turn on sound
        </button>
      )}
    </>
  )
}
