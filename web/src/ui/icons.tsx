import type { ComponentChildren } from 'preact'

/** Line icons on a 24-unit grid; the button that holds one has the name. */
function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

export const Phone = () => (
  <Icon>
    <path d="M6.6 3.5 9 4l1 4-2 1.6a12 12 0 0 0 6.4 6.4L16 14l4 1 .5 2.4a2 2 0 0 1-2 2.6C10.6 20 4 13.4 4 5.500a2 2 0 0 1 2.6-2z" />
  </Icon>
)

export const HangUp = () => (
  <Icon>
    <path d="M3 14.500v-1.200c0-1 .5-1.9 1.4-2.400a15.6 15.6 0 0 1 15.2 0c.9.5 1.4 1.4 1.4 2.400v1.200a1.2 1.2 0 0 1-1.5 1.200l-2.6-.7a1.2 1.2 0 0 1-.9-1.100v-1.500a13.5 13.5 0 0 0-8 0v1.500c0 .5-.4 1-.9 1.100l-2.6.7A1.2 1.2 0 0 1 3 14.500z" />
  </Icon>
)

export const Mic = ({ off }: { readonly off: boolean }) => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.500a6.5 6.5 0 0 0 13 0M12 18v3" />
    {off && <path class="icon-slash" d="m4 4 16 16" />}
  </Icon>
)

export const Camera = ({ off }: { readonly off: boolean }) => (
  <Icon>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="m15 11 6-3.500v9L15 13" />
    {off && <path class="icon-slash" d="m4 4 16 16" />}
  </Icon>
)

export const Screen = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12" rx="2" />
    <path d="M12 13.500v-5.500M9.500 10.500 12 8l2.500 2.500M8.500 20h7" />
  </Icon>
)

export const Close = () => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
)

export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path class="logo-line" d="M10 25V13a6 6 0 0 1 12 0v12" />
    <circle class="logo-near" cx="10" cy="25" r="3" />
    <circle class="logo-far" cx="22" cy="25" r="3" />
  </svg>
)
