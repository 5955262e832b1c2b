// A man in the middle between the engine and the server: passes everything on, and changes one byte of the bodies of chat
// requests when it is armed.
import { createServer, request } from "node:http";
import { once } from "node:events";

export async function tamper(release, upstream) {
  const state = { armed: false, changed: 0 };
  const target = new URL(upstream);
  const server = createServer(async (incoming, outgoing) => {
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const body = Buffer.concat(parts);
    if (state.armed && incoming.url.startsWith("/v1/chat/completions") && body.length > 0) {
      // A letter inside the task, so that the body stays well-formed JSON.
      const at = body.indexOf("Retry");
      body[at + 1] ^= 1;
      state.changed += 1;
    }
    const passed = request(
      { host: target.hostname, port: target.port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on("error", () => outgoing.destroy());
    passed.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  release(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return { url: `http://127.0.0.1:${server.address().port}`, state };
}
