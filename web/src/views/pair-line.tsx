import type { CallStatsSample } from '@hairpin/client'
import { bitrate, pathDetail, pathName, roundTrip, transportName } from '../format.ts'

/** One line on what carries the call: the candidate pair, its transport, bit rates and round-trip time. */
export function PairLine({ stats }: { readonly stats: CallStatsSample | undefined }) {
  const pair = stats?.pair
  return (
    <p
      class="pair-line"
      data-testid="pair-line"
      data-kind={pair?.kind ?? 'none'}
      data-local={pair?.localKind}
      data-remote={pair?.remoteKind}
      data-protocol={pair && transportName(pair).toLowerCase()}
      data-frames={stats?.framesDecoded ?? 0}
      title={pair && pathDetail(pair)}
    >
      {pair && stats ? (
        <>
          <span class={`badge badge-${pair.kind}`}>{pathName(pair)}</span> <span>{transportName(pair)}</span>{' '}
          <span>
            <span class="quiet">in</span> {bitrate(stats.bitrateIn)}
          </span>{' '}
          <span>
            <span class="quiet">out</span> {bitrate(stats.bitrateOut)}
          </span>{' '}
          <span>
            <span class="quiet">round trip</span> {roundTrip(pair.roundTripTime)}
          </span>
        </>
      ) : (
        <span class="quiet">Looking for a path…</span>
      )}
    </p>
  )
}
