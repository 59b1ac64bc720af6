/**
 * Attribute type numbers: RFC 8489 section 18.3, RFC 8656 section 18, RFC 6062 section 6.2, RFC 8445 section 16.1,
 * RFC 5780 section 9.1, RFC 8016 section 4.
 */
export const Attribute = {
  MappedAddress: 0x0001,
  ChangeRequest: 0x0003,
  Username: 0x0006,
  MessageIntegrity: 0x0008,
  ErrorCode: 0x0009,
  UnknownAttributes: 0x000a,
  ChannelNumber: 0x000c,
  Lifetime: 0x000d,
  XorPeerAddress: 0x0012,
  Data: 0x0013,
  Realm: 0x0014,
  Nonce: 0x0015,
  XorRelayedAddress: 0x0016,
  RequestedAddressFamily: 0x0017,
  EvenPort: 0x0018,
  RequestedTransport: 0x0019,
  DontFragment: 0x001a,
  MessageIntegritySha256: 0x001c,
  PasswordAlgorithm: 0x001d,
  Userhash: 0x001e,
  XorMappedAddress: 0x0020,
  ReservationToken: 0x0022,
  Priority: 0x0024,
  UseCandidate: 0x0025,
  Padding: 0x0026,
  ResponsePort: 0x0027,
  ConnectionId: 0x002a,
  AdditionalAddressFamily: 0x8000,
  AddressErrorCode: 0x8001,
  PasswordAlgorithms: 0x8002,
  AlternateDomain: 0x8003,
  Icmp: 0x8004,
  Software: 0x8022,
  AlternateServer: 0x8023,
  Fingerprint: 0x8028,
  IceControlled: 0x8029,
  IceControlling: 0x802a,
  ResponseOrigin: 0x802b,
  OtherAddress: 0x802c,
  MobilityTicket: 0x8030,
  /** ADDITIONAL-ADDRESS-FAMILY by the number of its draft (draft-ietf-tram-turn-ssoda), which coturn's client sends. */
  DraftAdditionalAddressFamily: 0x8032,
} as const

/** Types below 0x8000 must be understood by the receiver (RFC 8489 section 14). */
export function isComprehensionRequired(type: number): boolean {
  return type < 0x8000
}
