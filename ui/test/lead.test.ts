import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { fromHere } from "#app/lead.ts";
import { href, type Route } from "#app/route.ts";
import { w } from "#app/words.ts";
import { toasts } from "#kit/overlays.tsx";

const files: Route = { page: "session", session: "s1", station: "files" };
const approve: Route = { page: "session", session: "s1", station: "approve", job: "j1" };

/** A window at an address, and what is told in it. */
function windowAt(route: Route) {
  const location = { hash: href(route) };
  const set = (_: unknown, __: string, hash: string) => { location.hash = hash; };
  Object.assign(globalThis, { window: { location, history: { pushState: set, replaceState: set } } });
  const told: { title?: unknown; actionProps?: { children?: unknown; onClick?: unknown } }[] = [];
  const closed: unknown[] = [];
  mock.method(toasts, "add", (toast: (typeof told)[0]) => { told.push(toast); return String(told.length); });
  mock.method(toasts, "close", (id: unknown) => closed.push(id));
  return { location, told, closed };
}

test("an answer leads on who is still where it was asked, and nobody else", () => {
  try {
    const { location, told, closed } = windowAt(files);
    assert.equal(fromHere()(approve, w.approve.asks), true);
    assert.deepEqual([location.hash, told.length], [href(approve), 0]);

    for (const elsewhere of [{ page: "terminals" }, { ...files, station: "task" }, { ...files, session: "s2" }] as Route[]) {
      location.hash = href(files);
      const lead = fromHere();
      location.hash = href(elsewhere);
      assert.equal(lead(approve, w.approve.asks), false);
      assert.equal(location.hash, href(elsewhere), "who has gone on stays where they are");
    }
    assert.deepEqual(told.map((t) => [t.title, t.actionProps?.children]), Array.from({ length: 3 }, () => [w.approve.asks, w.goThere]));
    (told[2]?.actionProps?.onClick as () => void)();
    assert.deepEqual([location.hash, closed], [href(approve), ["3"]], "one press goes there");
  } finally {
    mock.restoreAll();
    Reflect.deleteProperty(globalThis, "window");
  }
});

test("an answer does not lead under what was opened since and floats", () => {
  const part = (name: string, hidden = false) => ({ name, closest: () => (hidden ? {} : null) });
  const [mine, other, closed] = [part("mine"), part("other"), part("closed", true)];
  let floats: object[] = [];
  Object.assign(globalThis, { document: { querySelectorAll: () => floats } });
  try {
    for (const [before, now, went] of [[[], [other], false], [[mine], [other], false], [[mine], [mine, other], false], [[mine], [mine], true], [[mine], [], true], [[], [], true], [[], [closed], true]] as [object[], object[], boolean][]) {
      const { location, told } = windowAt(files);
      floats = before;
      const lead = fromHere();
      floats = now;
      assert.equal(lead(approve, w.approve.asks), went, JSON.stringify([before, now]));
      assert.deepEqual([location.hash, told.map((t) => t.title)], went ? [href(approve), []] : [href(files), [w.approve.asks]]);
      mock.restoreAll();
    }
  } finally {
    mock.restoreAll();
    for (const name of ["window", "document"]) Reflect.deleteProperty(globalThis, name);
  }
});

test("what stands in front closes before one press goes there", () => {
  try {
    const { location, told } = windowAt(files);
    const lead = fromHere();
    location.hash = href({ page: "terminals" });
    let left = 0;
    assert.equal(lead(approve, w.approve.asks, () => { left += 1; }), false);
    (told[0]?.actionProps?.onClick as () => void)();
    assert.deepEqual([location.hash, left], [href(approve), 1]);
  } finally {
    mock.restoreAll();
    Reflect.deleteProperty(globalThis, "window");
  }
});

test("who is there already is told nothing", () => {
  try {
    const { location, told } = windowAt(files);
    const lead = fromHere();
    location.hash = href(approve);
    assert.equal(lead(approve, w.approve.asks), false);
    assert.deepEqual([location.hash, told.length], [href(approve), 0]);
  } finally {
    mock.restoreAll();
    Reflect.deleteProperty(globalThis, "window");
  }
});
