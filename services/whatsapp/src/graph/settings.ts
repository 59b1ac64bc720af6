/** The `calling` part of a business number's settings; members that are not listed here are left as they are. */
import { type Static, Type } from 'typebox'

const OnOff = Type.Union([Type.Literal('ENABLED'), Type.Literal('DISABLED')])

export const CallSettingsForm = Type.Object({
  status: OnOff,
  call_icon_visibility: Type.Optional(Type.String()),
  call_hours: Type.Optional(
    Type.Object({
      status: OnOff,
      timezone_id: Type.Optional(Type.String()),
      /** Times are local and of the form `0930`. */
      weekly_operating_hours: Type.Optional(
        Type.Array(Type.Object({ day_of_week: Type.String(), open_time: Type.String(), close_time: Type.String() })),
      ),
    }),
  ),
  callback_permission_status: Type.Optional(OnOff),
  /** The bridge speaks DTLS. */
  srtp_key_exchange_protocol: Type.Optional(Type.Union([Type.Literal('DTLS'), Type.Literal('SDES')])),
  /** While SIP is on, there are no events and no calls by the API. */
  sip: Type.Optional(Type.Object({ status: OnOff })),
})

export const CallSettingsReply = Type.Object({ calling: CallSettingsForm })

export type CallSettings = Static<typeof CallSettingsForm>
