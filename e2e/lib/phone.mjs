// The phone's own code under Node, paired by the command line; and what it takes to follow a terminal to the last byte.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { start } from "./programs.mjs";
import { until } from "./webdriver.mjs";

const ui = fileURLToPath(new URL("../../ui", import.meta.url));

/** Bundles the phone's code once and loads it. */
export async function probe(dir) {
  const out = join(dir, "probe");
  const child = spawn(process.execPath, [join(ui, "test/probe/build.mjs"), out], { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("the phone's code could not be bundled; run `npm ci` in ui first");
  return import(pathToFileURL(join(out, "probe.mjs")).href);
}

/** Signs the engine of `home` in to the server, confirmed by `confirm(address)`. */
export async function signIn(release, home, server, confirm) {
  const login = await start(release, "plantocode", ["login", "--server", server], {
    env: { PLANTOCODE_HOME: home, NO_COLOR: "1" },
    ready: (text) => text.match(/Open\s+(\S+)/)?.[1],
  });
  await confirm(login.value);
  await login.waitFor((text) => text.includes("Signed in") || undefined, 30_000);
}

/** Pairs a phone with `plantocode pair`: the digits that it shows are typed there. */
export async function pairWith(release, code, home, name, allow) {
  const words = ["pair", ...allow.flatMap((right) => ["--allow", right])];
  const pairing = await start(release, "plantocode", words, {
    env: { PLANTOCODE_HOME: home, NO_COLOR: "1" },
    ready: (text) => text.match(/Or open on the phone\s+(\S+)/)?.[1],
  });
  const paired = await code.pairPhone(pairing.value, name, (digits) => pairing.say(`${digits}\n`));
  await pairing.waitFor((text) => text.includes(`Paired with ${name}`) || undefined);
  return { paired, printed: pairing.printed() };
}

/** A connection that is linked. */
export async function linked(connection, limit = 20_000) {
  await until("the link", () => connection.state.status === "linked", limit);
  return connection;
}

/** The engine of `home`, as a program of the same person. */
export async function here(code, home) {
  const { url, token } = JSON.parse(await readFile(join(home, "state/loopback.json"), "utf8"));
  return linked(code.connectHere(url, token));
}

export const KIND = { data: 0, snapshot: 1, gap: 2, resize: 3, exit: 4 };

/** Reads a range of a terminal's output, however often the link is cut. */
export async function history(connection, terminal, epoch, from, to, into) {
  let at = from;
  while (at < to) {
    await linked(connection);
    await new Promise((done) => {
      const feed = connection.feed("terminals.history", { terminal, epoch, from: at, to, window: 256 << 10 }, {
        record(record) {
          if (record.offset !== at) throw new Error(`history at ${record.offset} instead of ${at}`);
          into(record.offset, record.bytes);
          at += record.bytes.length;
          feed.consume(record.bytes.length);
        },
        end: done,
      });
    });
  }
}

/** Follows a terminal from its beginning: what came, byte by byte, and what was skipped. */
export function follow(connection, terminal, window = 256 << 10) {
  const stop = () => (state.stopped = true);
  const state = { stop, epoch: undefined, have: 0, pieces: [], skipped: [], attaches: 0, again: 0, snapshots: 0, stopped: false, ended: undefined };
  const attach = async () => {
    while (!state.stopped) {
      await linked(connection, 60_000);
      if (state.stopped) return;
      state.attaches += 1;
      const params = { terminal, have: state.have, window, ...(state.epoch && { epoch: state.epoch }) };
      state.ended = await new Promise((done) => {
        const feed = connection.feed("terminals.attach", params, {
          record(record) {
            state.epoch = record.epoch;
            if (record.kind === KIND.data) {
              if (record.offset < state.have) state.again += 1;
              if (record.offset > state.have) state.skipped.push([state.have, record.offset]);
              state.pieces.push([record.offset, record.bytes.slice()]);
              state.have = record.offset + record.bytes.length;
            } else if (record.kind === KIND.snapshot) {
              state.snapshots += 1;
              if (record.offset > state.have) state.skipped.push([state.have, record.offset]);
              if (record.offset < state.have) state.again += 1;
              state.have = record.offset;
            }
            feed.consume(record.bytes.length);
          },
          end: done,
        });
        state.stop = () => {
          state.stopped = true;
          feed.cancel();
          done();
        };
      });
    }
  };
  state.done = attach();
  return state;
}
