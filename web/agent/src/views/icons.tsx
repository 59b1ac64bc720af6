import type { ComponentChildren } from 'preact'

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

export const Hold = () => (
  <Icon>
    <path d="M8.500 5v14M15.500 5v14" />
  </Icon>
)

export const Keys = () => (
  <Icon>
    {[6, 12, 18].flatMap((y) => [6, 12, 18].map((x) => <circle key={`${x} ${y}`} cx={x} cy={y} r="1.200" />))}
  </Icon>
)

export const Transfer = () => (
  <Icon>
    <path d="M4 8h14M14.500 4.500 18 8l-3.500 3.500M20 16H6M9.500 12.500 6 16l3.500 3.500" />
  </Icon>
)

export const Inward = () => (
  <Icon>
    <path d="M18 6 6.500 17.500M6.500 9v8.500H15" />
  </Icon>
)

export const Outward = () => (
  <Icon>
    <path d="M6 18 17.500 6.500M17.500 15V6.500H9" />
  </Icon>
)
