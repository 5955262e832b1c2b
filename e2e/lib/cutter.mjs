// A way to the server that can be cut: passes bytes on, and ends chosen connections in mid-stream.
import { connect, createServer } from "node:net";
import { once } from "node:events";

/**
 * `open(target)` once the server listens. `connections()` are those that carry the socket of a phone, which has a ticket in
 * their first bytes; `cut()` ends all of them as a lost network would.
 */
export async function cutter(release) {
  const state = { target: undefined, live: new Set(), refusing: false };
  const server = createServer((near) => {
    const far = connect(state.target);
    const pair = { near, far, page: false };
    state.live.add(pair);
    near.on("data", (data) => {
      // A connection may have carried other requests before it becomes a socket.
      if (!pair.page && data[0] === 0x47) {
        pair.page = /^GET \/ws\/device-link [^]*\r\nsec-websocket-protocol:[^\r]*ticket\./i.test(data.toString("latin1"));
        if (pair.page && state.refusing) return end();
      }
      if (!far.write(data)) near.pause();
    });
    far.on("drain", () => near.resume());
    far.on("data", (data) => {
      if (!near.write(data)) far.pause();
    });
    near.on("drain", () => far.resume());
    const end = () => {
      state.live.delete(pair);
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const socket of [near, far]) {
      // A network passes small packets on at once.
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  release(() => {
    for (const { near, far } of state.live) {
      near.destroy();
      far.destroy();
    }
    return new Promise((done) => server.close(done));
  });
  const pages = () => [...state.live].filter((pair) => pair.page);
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    open: (url) => (state.target = { host: new URL(url).hostname, port: Number(new URL(url).port) }),
    connections: () => pages().length,
    cut() {
      const cut = pages();
      for (const { near, far } of cut) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
      return cut.length;
    },
    /** Whether sockets of pages are refused, as in a tunnel. */
    refuse: (on) => (state.refusing = on),
  };
}
