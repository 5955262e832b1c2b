import { createContext, useContext, useEffect, useRef, useSyncExternalStore } from "react";
import { toasts } from "#kit/overlays.tsx";
import { floating } from "./floats.ts";

/** Something a person can do: in the palette, by key, or both. */
export interface Action {
  id: string;
  label: string;
  /** For example `Mod+Enter` or `j`. Several, separated by a space. */
  keys?: string;
  run(): void;
  /** Registered, shown and explained, but not possible now. */
  reason?: string | undefined;
  /** Works at one station, not everywhere: listed apart under `?`. */
  here?: boolean;
  /** Moves the focus and is no use in the palette. Only these go on while a key is held. */
  keysOnly?: boolean;
}

/** What can be done now. Pages add their own while they are shown. */
export class Actions {
  private slots: { owner: object; action: Action }[] = [];
  private list: Action[] = [];
  private readonly watchers = new Set<() => void>();

  /** Registers the action of `owner`, in the place that it has where it has one: what only says something else now is no later for that. */
  put(owner: object, action: Action): void {
    const known = this.slots.some((s) => s.owner === owner);
    this.slots = known ? this.slots.map((s) => (s.owner === owner ? { owner, action } : s)) : [...this.slots, { owner, action }];
    this.tell();
  }

  drop(owner: object): void {
    this.slots = this.slots.filter((s) => s.owner !== owner);
    this.tell();
  }

  all = (): Action[] => this.list;

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  /**
   * The latest registered action for a key owns it: a page inside a page knows better. It does so too while it is not
   * possible: who presses the key means it, and not what stands behind it.
   */
  forKey(combo: string): Action | undefined {
    return this.list.findLast((a) => a.keys?.split(" ").includes(combo));
  }

  private tell(): void {
    this.list = this.slots.map((s) => s.action);
    for (const notify of [...this.watchers]) notify();
  }
}

export const ActionsContext = createContext(new Actions());
export const useActions = (): Actions => useContext(ActionsContext);
export const useActionList = (): Action[] => {
  const actions = useActions();
  return useSyncExternalStore(actions.watch, actions.all);
};

/** Registers an action while the component is shown; `undefined` registers nothing. */
export function useAction(action: Action | undefined): void {
  const actions = useActions();
  const latest = useRef(action);
  latest.current = action;
  const { id, label, keys, reason, here, keysOnly } = action ?? {};
  const present = action !== undefined;
  useEffect(() => {
    const owner = latest;
    return present ? () => actions.drop(owner) : undefined;
  }, [actions, present]);
  useEffect(() => {
    if (id === undefined || label === undefined) return;
    actions.put(latest, {
      id, label, run: () => latest.current?.run(), reason,
      ...(keys === undefined ? {} : { keys }),
      ...(here ? { here } : {}),
      ...(keysOnly ? { keysOnly } : {}),
    });
  }, [actions, id, label, keys, reason, here, keysOnly]);
}

/** `Mod+Shift+D` for a key event. Letters in their plain form. */
export function comboOf(event: KeyboardEvent): string {
  // With Alt a digit may come as another sign; its place on the keyboard says which it is.
  const digit = event.altKey ? /^Digit(\d)$/.exec(event.code)?.[1] : undefined;
  const key = digit ?? (event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key);
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  return [event.metaKey || event.ctrlKey ? "Mod" : "", event.altKey ? "Alt" : "", shift ? "Shift" : "", key]
    .filter(Boolean)
    .join("+");
}

/** Whether a key that is held does this again. What is held as a page changes would answer what was not read yet. */
export const again = (action: Action, event: { repeat: boolean }): boolean => !event.repeat || action.keysOnly === true;

/** Does what a key is for, or has it said why that is not possible now. */
export function press(action: Action, event: { repeat: boolean }, say: (reason: string) => void): void {
  if (!again(action, event)) return;
  if (action.reason === undefined) action.run();
  else say(action.reason);
}

let why: string | undefined;
/** Says why a key does nothing now; pressing it once more says it once. */
function sayWhy(reason: string): void {
  if (why !== undefined) toasts.close(why);
  why = toasts.add({ title: reason });
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio])"));

/** One place listens; dialogs and menus keep their keys to themselves. */
export function useKeyboard(): void {
  const actions = useActions();
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const combo = comboOf(event);
      if (combo !== "Mod+k" && floating().length > 0) return;
      if (isText(event.target)) {
        if (combo === "Escape") (event.target as HTMLElement).blur();
        if (!combo.startsWith("Mod+")) return;
      }
      const action = actions.forKey(combo);
      if (!action) return;
      event.preventDefault();
      press(action, event, sayWhy);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [actions]);
}
