import { createContext, useContext, useEffect, useRef, useSyncExternalStore } from "react";

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
  private list: Action[] = [];
  private readonly watchers = new Set<() => void>();

  add(action: Action): () => void {
    this.list = [...this.list, action];
    this.tell();
    return () => {
      this.list = this.list.filter((a) => a !== action);
      this.tell();
    };
  }

  all = (): Action[] => this.list;

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  /** The latest registered action for a key wins: a page inside a page knows better. */
  forKey(combo: string): Action | undefined {
    return this.list.findLast((a) => a.reason === undefined && a.keys?.split(" ").includes(combo));
  }

  private tell(): void {
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
  useEffect(() => {
    if (id === undefined || label === undefined) return;
    return actions.add({
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
      // A note of what was done is a dialog that takes no keys.
      const floating = document.querySelector("[role=dialog]:not([data-toast]), [role=menu], [role=listbox]:not([data-page])");
      if (floating && combo !== "Mod+k") return;
      if (isText(event.target)) {
        if (combo === "Escape") (event.target as HTMLElement).blur();
        if (!combo.startsWith("Mod+")) return;
      }
      const action = actions.forKey(combo);
      if (!action) return;
      event.preventDefault();
      if (again(action, event)) action.run();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [actions]);
}
