// The simulated providers behind the server, as the scripts beside this file steer them.
import assert from "node:assert/strict";

export const HELLO = "Hello from the simulator.";
// One red pixel.
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

export class Simulator {
  constructor(url) {
    this.url = url;
  }

  // Replaces the behaviour and forgets what was received.
  async behave(behaviour = {}) {
    const body = JSON.stringify({ style: "text", text: HELLO, ...behaviour });
    const reply = await fetch(`${this.url}/_control`, { method: "POST", body });
    assert.equal(reply.status, 200, await reply.text());
    await fetch(`${this.url}/_log`, { method: "DELETE" });
  }

  async log() {
    return (await fetch(`${this.url}/_log`)).json();
  }

  async last() {
    return JSON.parse((await this.log()).at(-1).body);
  }

  // Waits until the last request was left by the server before it was answered.
  async leftSoon() {
    const start = performance.now();
    while (performance.now() - start < 3000) {
      if ((await this.log()).at(-1)?.disconnected_at_ms != null) return performance.now() - start < 700;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }
}

// The error that an action ends with.
export async function raises(kind, action) {
  try {
    await action();
  } catch (error) {
    assert(error instanceof kind, `${error?.stack}`);
    return error;
  }
  assert.fail(`no ${kind.name}`);
}
