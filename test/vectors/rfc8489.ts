/**
 * Test vector of RFC 8489 appendix B.1 as corrected by erratum 6268, which adds PASSWORD-ALGORITHM: a request with long-term
 * authentication, MESSAGE-INTEGRITY-SHA256 and USERHASH. (Its nonce cookie sets bit 22, which section 18.1 leaves unassigned.)
 */
export const RFC8489_B1 = {
  username: 'マトリックス',
  realm: 'example.org',
  /** After OpaqueString processing (RFC 8265). */
  password: 'TheMatrIX',
  nonce: 'obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA',
  features: 0x000002,
  userhash: '4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704',
  bytes: new Uint8Array(
    Buffer.from(
      `00010090 2112a442 78ad3433c6ad72c029da412e
       001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
       00150029 6f624d61744a6f7332414141 43662f2f3439396b39353464364f4c33346f4c39465354767936347341 000000
       0014000b 6578616d706c652e6f7267 00
       001d0004 00020000
       001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65`.replace(/\s+/g, ''),
      'hex',
    ),
  ),
} as const

/**
 * The nonce cookie with each set of security features, worked out by hand from section 9.2 (the 24 bits in base64 behind
 * the cookie) and section 18.1 (bit 0, the leftmost, is password algorithms; bit 1 username anonymity).
 */
export const NONCE_PREFIXES = [
  { features: 0b00 << 22, prefix: 'obMatJos2AAAA' },
  { features: 0b10 << 22, prefix: 'obMatJos2gAAA' },
  { features: 0b01 << 22, prefix: 'obMatJos2QAAA' },
  { features: 0b11 << 22, prefix: 'obMatJos2wAAA' },
] as const

/** The long-term key of RFC 5389 section 15.4, which RFC 8489 section 18.5.1.1 keeps: MD5 of `user:realm:pass`. */
export const MD5_KEY = {
  username: 'user',
  realm: 'realm',
  password: 'pass',
  key: '8493fbc53ba582fb4c044c456bdc40eb',
} as const
