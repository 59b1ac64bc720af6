import type { EngineName } from './engines.ts'

type Declaration = readonly [reason: string, cases: readonly string[]]

/** What node-turn 0.0.6 does not do, beside docs/NODE-TURN.md: not even with repairs.ts around it. */
const NODE_TURN: readonly Declaration[] = [
  ['it answers methods it does not know', ['RFC 8489 6.3: a request of an unknown method draws no answer']],
  [
    'only the first unknown attribute is named, and none of a Binding or an indication is looked at',
    [
      'RFC 8489 6.3.1: an unknown comprehension-required attribute of a Binding draws 420 and is named',
      'RFC 8489 6.3.1: of an authenticated request all unknown required attributes are named in 420',
      'RFC 8656 11.2: a Send indication with an unknown required attribute is discarded',
    ],
  ],
  [
    'it looks for the allocation before it looks at credentials',
    ['RFC 8489 9.2.4: without integrity every request draws 401 with REALM and NONCE, unsigned'],
  ],
  ['who has no name is unknown: 401', ['RFC 8489 9.2.4: integrity without USERNAME draws 400']],
  [
    'of RFC 8489 it knows no password algorithms',
    [
      'RFC 8489 9.2: the NONCE begins with the cookie and its security features',
      'RFC 8489 9.2.4: 401 and 438 offer the password algorithms',
      'RFC 8489 9.2.4: a client that chooses SHA-256 is answered with MESSAGE-INTEGRITY-SHA256',
      'RFC 8489 14.6: behind MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts',
      'RFC 8489 9.2.4: against bidding down, an offer that was shortened draws 400',
      'RFC 8489 9.2.4: against bidding down, an offer whose order was changed draws 400',
      'RFC 8489 9.2.4: against bidding down, a choice that was not offered draws 400',
      'RFC 8489 9.2.4: against bidding down, an offer without a choice draws 400',
      'RFC 8489 9.2.4: against bidding down, a choice without the offer draws 400',
      'RFC 8489 9.2.4: against bidding down, two choices draws 400',
    ],
  ],
  [
    'it knows no USERHASH',
    ['RFC 8489 14.4: USERHASH is honoured where the name is known, and draws 401 where it is not'],
  ],
  [
    'a malformed attribute of a known type draws no answer, or is taken for another',
    [
      'RFC 8656 7.2 step 3: an Allocate with a REQUESTED-TRANSPORT of a wrong size draws 400',
      'RFC 8656 7.2 step 7: REQUESTED-ADDRESS-FAMILY of a wrong size draws 400',
      'RFC 8656 7.2 step 8: EVEN-PORT of a wrong size draws 400',
      'RFC 8656 18.2: a LIFETIME of a wrong size draws 400',
      'RFC 8656 10.2: without XOR-PEER-ADDRESS, or with a malformed one, CreatePermission draws 400',
      'RFC 8656 10.2: with a malformed peer among them CreatePermission draws 400 and installs none',
      'RFC 8656 12.2: malformed attributes draw 400',
    ],
  ],
  [
    'it reserves no ports: 508',
    [
      'RFC 8656 7.2 step 5: a RESERVATION-TOKEN gives the port after the even one, once',
      'RFC 8656 7.2 step 5: RESERVATION-TOKEN of a wrong size draws 400',
      'RFC 8656 7.2 step 5: EVEN-PORT beside RESERVATION-TOKEN draws 400',
      'RFC 8656 7.2 step 5: REQUESTED-ADDRESS-FAMILY beside RESERVATION-TOKEN draws 400',
      'RFC 8656 7.2 step 5: ADDITIONAL-ADDRESS-FAMILY beside RESERVATION-TOKEN draws 400',
      'RFC 8656 7.2 step 8: ADDITIONAL-ADDRESS-FAMILY beside EVEN-PORT with a reservation draws 400',
    ],
  ],
  [
    'an allocation has one address, of IPv4, and families are not looked at beyond that',
    [
      'RFC 8656 7.2 step 6: REQUESTED- beside ADDITIONAL-ADDRESS-FAMILY draws 400',
      'RFC 8656 7.2 step 7: REQUESTED-ADDRESS-FAMILY IPv6 gives an IPv6 relayed address, for peers of IPv6',
      'RFC 8656 7.2 step 9: ADDITIONAL-ADDRESS-FAMILY IPv4 draws 400',
      'RFC 8656 7.2 step 9: of two families the one there is is given, and 440 for the other',
      'RFC 8656 7.2 step 9: ADDITIONAL-ADDRESS-FAMILY IPv6 gives one of each, and both relay',
      'RFC 8656 8.2: of two relayed addresses a Refresh with a family is for the one alone',
      'RFC 8656 8.2: a REQUESTED-ADDRESS-FAMILY that is not the allocation’s draws 443',
    ],
  ],
  [
    'it does not redirect: while it drains 486',
    ['RFC 8656 7.2 step 11: a server that redirects says 300 with ALTERNATE-SERVER'],
  ],
  [
    'every Allocate gives 600 s, and a Refresh less if it asks for less',
    [
      'RFC 8656 7.2: a LIFETIME of 1200 s gives 1200 s',
      'RFC 8656 7.2: a LIFETIME of 86400 s gives 3600 s',
      'RFC 8656 7.2: a LIFETIME of 4294967295 s gives 3600 s',
      'RFC 8656 8.2: a Refresh for less than the default gives 600 s',
    ],
  ],
  [
    'it knows no mobility',
    [
      'RFC 8016 3.1: only who asks for a ticket is given one',
      'RFC 8016 3.2: a Refresh with the ticket moves allocation, permissions and channels',
      'RFC 8016 3.2: a client may move again with the next ticket',
      'RFC 8016 3.2: a ticket that the server did not make draws 400',
      'RFC 8656 5: the ticket of another user draws 441',
    ],
  ],
  ['numbers up to 0x7FFE only', ['RFC 5766 11: the numbers up to 0x7FFF too, for its clients pick from them']],
  ['it pads ChannelData over UDP', ['RFC 8656 12.5: over UDP ChannelData is sent without padding']],
  [
    'it listens on UDP only',
    [
      'RFC 8656 6: one address and port over UDP and over TCP are two five-tuples',
      ...['TCP', 'TLS'].flatMap((transport) => [
        `RFC 8489 6.2.2: over ${transport} requests in one segment are each answered`,
        `RFC 8489 6.2.2: over ${transport} a request may come byte by byte`,
        `RFC 8489 6.2.2: over ${transport} what is neither STUN nor ChannelData ends the connection`,
        `RFC 8656 3.1: over ${transport} an allocation is made, refreshed and deleted`,
        `RFC 8656 11: over ${transport} Send and Data carry whole datagrams`,
        `RFC 8656 12.5: over ${transport} ChannelData is padded both ways, and the padding not relayed`,
        `RFC 8656 12.5: over ${transport} ChannelData and STUN follow each other in one segment`,
      ]),
    ],
  ],
]

/** By engine and by the name of the case: why the engine fails it. The suite checks that it does. */
export const UNSUPPORTED: Readonly<Record<EngineName, Readonly<Record<string, string>>>> = {
  hairpin: {},
  'node-turn': byCase(NODE_TURN),
}

function byCase(declarations: readonly Declaration[]): Record<string, string> {
  return Object.fromEntries(declarations.flatMap(([reason, cases]) => cases.map((name) => [name, reason])))
}
