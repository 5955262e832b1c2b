import assert from "node:assert/strict";
import { test } from "node:test";
import { Actions, press, type Action } from "#app/actions.tsx";

/** Actions that share a key, and what came of pressing it. */
function keyboard() {
  const actions = new Actions();
  const done: string[] = [];
  const action = (id: string, over: Partial<Action> = {}): Action => ({ id, label: id, keys: "Mod+Enter", run: () => done.push(id), ...over });
  const hit = (repeat = false) => {
    const found = actions.forKey("Mod+Enter");
    if (found) press(found, { repeat }, (reason) => done.push(`said: ${reason}`));
    return done.splice(0);
  };
  return { actions, action, hit };
}

test("the latest action with a key owns it, also while it is not possible", () => {
  const { actions, action, hit } = keyboard();
  assert.deepEqual(hit(), []);
  const [page, sheet] = [{}, {}];
  actions.put(page, action("send"));
  assert.deepEqual(hit(), ["send"]);
  actions.put(sheet, action("store", { reason: "A step needs a title." }));
  assert.deepEqual(hit(), ["said: A step needs a title."], "nothing older runs");
  actions.put(sheet, action("store"));
  assert.deepEqual(hit(), ["store"]);
  actions.drop(sheet);
  assert.deepEqual(hit(), ["send"]);
});

test("an action that says something else now is no later for that", () => {
  const { actions, action, hit } = keyboard();
  const [page, sheet] = [{}, {}];
  actions.put(page, action("send"));
  actions.put(sheet, action("store"));
  actions.put(page, action("send", { reason: "Counting again." }));
  assert.deepEqual(hit(), ["store"]);
  assert.deepEqual(actions.all().map((a) => a.id), ["send", "store"]);
});

test("a key that is held says a reason once", () => {
  const { actions, action, hit } = keyboard();
  actions.put({}, action("send", { reason: "Nothing is ticked." }));
  assert.deepEqual([hit(), hit(true)], [["said: Nothing is ticked."], []]);
});
