import { Connection } from "#client/connection.ts";
import type { Engine } from "#app/engine.tsx";
import { Finds } from "#app/features/files/finds.ts";
import { Drafts } from "#app/features/task/draft.ts";
import { Prefs } from "#app/prefs.ts";
import { Tasks } from "#app/tasks.ts";
import { FakeEngine, world, type World } from "./engine.ts";

/** What a page remembers, in memory. */
export function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(), key: (n) => [...kept.keys()][n] ?? null, get length() { return kept.size; },
  };
}

/** Lets everything happen that is on its way in memory. */
export const settle = () => new Promise((done) => setTimeout(done, 5));

/** An engine in memory, and all that a page holds about one; linked. */
export async function connected(over: Partial<World> = {}) {
  const fake = new FakeEngine(world(over));
  const connection = new Connection(fake.dial, { hostAnswers: () => Promise.resolve(true), random: () => 1, now: Date.now, client: "test" });
  const unseen: string[] = [];
  const none = () => Promise.reject(new Error("No task is typed here."));
  const engine: Engine = {
    connection, prefs: new Prefs(memory(), "fake"), finds: new Finds(connection, () => {}), tasks: new Tasks((error) => unseen.push(error.message)),
    drafts: new Drafts(() => ({ save: none, move: none, keep: () => {}, kept: () => undefined })),
  };
  await settle();
  const calls = (method: string) => fake.seen.filter((s) => s.method === method).map((s) => s.params as Record<string, unknown>);
  return { fake, engine, calls, unseen };
}
