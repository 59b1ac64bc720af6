/** One stay of one device in a room. */
export interface Member {
  readonly id: string
  readonly device: string
  readonly name: string
}

export interface Room {
  readonly name: string
  /** By id, in order of arrival. */
  readonly members: Map<string, Member>
}

export interface Stay {
  readonly room: Room
  readonly member: Member
}

/**
 * The rooms of this server. Pure: ids are passed in.
 *
 * Invariant: a device is in at most one room; a room has at least one member and never more than its limit; rooms of
 * different realms have nothing to do with each other, whatever their names.
 */
export class RoomBook {
  readonly #rooms = new Map<string, Room>()
  readonly #byDevice = new Map<string, Stay & { readonly key: string }>()
  readonly #limit: number
  readonly #newId: () => string

  constructor(limit: number, newId: () => string) {
    this.#limit = limit
    this.#newId = newId
  }

  /** Undefined when there is no place. The device must not be in a room. */
  enter(app: string | undefined, name: string, device: string, user: string): Stay | undefined {
    const key = keyOf(app, name)
    const room = this.#rooms.get(key) ?? { name, members: new Map() }
    if (room.members.size >= this.#limit) return undefined
    const member = { id: this.#newId(), device, name: user }
    room.members.set(member.id, member)
    this.#rooms.set(key, room)
    const stay = { room, member, key }
    this.#byDevice.set(device, stay)
    return stay
  }

  /** Whether one more may enter; `device` is not counted. */
  hasPlace(app: string | undefined, name: string, device: string): boolean {
    const room = this.#rooms.get(keyOf(app, name))
    if (room === undefined) return true
    const own = this.#byDevice.get(device)?.room === room ? 1 : 0
    return room.members.size - own < this.#limit
  }

  leave(device: string): Stay | undefined {
    const stay = this.#byDevice.get(device)
    if (stay === undefined) return undefined
    this.#byDevice.delete(device)
    stay.room.members.delete(stay.member.id)
    if (stay.room.members.size === 0) this.#rooms.delete(stay.key)
    return stay
  }

  of(device: string): Stay | undefined {
    return this.#byDevice.get(device)
  }

  count(): { rooms: number; members: number } {
    return { rooms: this.#rooms.size, members: this.#byDevice.size }
  }
}

/** The guests' rooms and each app's are apart: no app is named with a blank. */
function keyOf(app: string | undefined, name: string): string {
  return app === undefined ? ` ${name}` : `${app} ${name}`
}
