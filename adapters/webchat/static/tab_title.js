// The tab's title says how much is unread.

export class TabTitle {
  constructor(store) {
    store.on("rooms", () => {
      const unread = [...store.rooms.values()].filter((room) => !room.muted).reduce((sum, room) => sum + room.unread, 0);
      const title = unread ? `(${unread > 99 ? "99+" : unread}) Aside` : "Aside";
      if (document.title !== title) document.title = title;
    });
  }
}
