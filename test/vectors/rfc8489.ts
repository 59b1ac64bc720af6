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
