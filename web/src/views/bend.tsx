/** The name's picture: two ends, and the bend in between where the relay turns the stream around. */
export function Bend() {
  return (
    <svg class="bend" viewBox="0 0 320 130" aria-hidden="true" focusable="false">
      <path class="bend-road" d="M36 104h150a42 42 0 0 0 0-84H36" />
      <path class="bend-flow" d="M36 104h150a42 42 0 0 0 0-84H36" />
      <circle class="bend-near" cx="36" cy="104" r="13" />
      <circle class="bend-far" cx="36" cy="20" r="13" />
      <rect class="bend-relay" x="206" y="40" width="44" height="44" rx="12" />
      <path class="bend-mark" d="M221 70V59a7 7 0 0 1 14 0v11" />
    </svg>
  )
}
