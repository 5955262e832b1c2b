import { useSyncExternalStore } from "react";
import { same } from "#kit/same.ts";

/** What this browser remembers for one engine: arrangement, recent actions, drafts. */
export class Prefs {
  private readonly cache = new Map<string, unknown>();
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly storage: Storage,
    private readonly engine: string,
  ) {}

  get<T>(key: string, fallback: T): T {
    if (!this.cache.has(key)) {
      const text = this.storage.getItem(this.name(key));
      try {
        this.cache.set(key, text === null ? undefined : JSON.parse(text));
      } catch {
        this.cache.set(key, undefined);
      }
    }
    return (this.cache.get(key) as T | undefined) ?? fallback;
  }

  set<T>(key: string, value: T | undefined): void {
    this.cache.set(key, value);
    try {
      if (value === undefined) this.storage.removeItem(this.name(key));
      else this.storage.setItem(this.name(key), JSON.stringify(value));
    } catch {
      // A full or forbidden storage costs the memory of this browser, nothing else.
    }
    for (const notify of [...this.watchers]) notify();
  }

  /** For a draft that is sent as it is now: forgets it once it was taken, unless more was written since. Tells whether it did. */
  sending(key: string): () => boolean {
    const sent = this.get<unknown>(key, undefined);
    return () => {
      if (!same(this.get<unknown>(key, undefined), sent)) return false;
      this.set(key, undefined);
      return true;
    };
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  private name(key: string): string {
    return `plantocode.${this.engine}.${key}`;
  }
}

export function usePref<T>(prefs: Prefs, key: string, fallback: T): [T, (value: T) => void] {
  const now = () => prefs.get(key, fallback);
  const value = useSyncExternalStore(prefs.watch, now, now);
  return [value, (next) => prefs.set(key, next)];
}
