import { type HairpinClient, openMedia, type Room } from '@hairpin/client'

/** Enters a room and shows everybody. */
export async function meet(client: HairpinClient, name: string, show: (streams: MediaStream[]) => void): Promise<Room> {
  const { stream } = await openMedia(navigator.mediaDevices)
  const room = client.enterRoom(name, stream)
  room.on('members', () => show(room.members.flatMap((member) => member.stream ?? [])))
  room.on('left', ({ code }) => console.log(`over: ${code}`))
  return room
}
