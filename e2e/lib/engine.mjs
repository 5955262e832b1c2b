// A generic JSON-RPC client over the engine's Unix socket: `kind u8 | length u32 big-endian | bytes`.
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";

export async function engine(release, home) {
  const socket = connect(join(home, "state", "engine.sock"));
  await once(socket, "connect");
  release(() => socket.destroy());
  const waiting = new Map();
  let buffered = Buffer.alloc(0);
  socket.on("data", (data) => {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 5 && buffered.length >= 5 + buffered.readUInt32BE(1)) {
      const length = buffered.readUInt32BE(1);
      const frame = JSON.parse(buffered.subarray(5, 5 + length).toString());
      buffered = buffered.subarray(5 + length);
      waiting.get(frame.id)?.(frame);
      waiting.delete(frame.id);
    }
  });
  let next = 1;
  return {
    async call(method, params = {}) {
      const id = next++;
      const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      const answered = new Promise((done) => waiting.set(id, done));
      socket.write(Buffer.concat([head, body]));
      const frame = await answered;
      if (frame.error) throw new Error(`${method}: ${frame.error.message}`);
      return frame.result;
    },
  };
}
