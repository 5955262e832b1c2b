import type { Session } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";

export interface DraftState {
  text: string;
  status: "saved" | "dirty" | "saving" | "offline" | "failed";
  /** Words of another device have just come into the text. */
  merged?: boolean;
}

/** What a draft needs of the world. */
export interface DraftWorld {
  /** Stores a text that was made from `base`; what comes back has the words of others too. */
  save(text: string, base: Base): Promise<Session>;
  /** Walks along the history of the task. */
  move(way: "undo" | "redo", version: number): Promise<Session>;
  /** Survives a closed tab. */
  keep(local: LocalDraft | undefined): void;
  kept(): LocalDraft | undefined;
}

/** A text that the engine had. */
export interface Base {
  text: string;
  version: number;
}

/** A save: a text and what it was made from. */
interface Save {
  text: string;
  base: Base;
}

export interface LocalDraft extends Save {
  /** A save whose answer has not come: whether the engine has it is not known. */
  sent?: Save;
}

const SAVE_MS = 350;
const RETRY_MS = 2000;

/**
 * The text of one task while it is typed. Each keystroke is kept on this machine at once and stored by the
 * engine within a second. The engine puts it together with what others stored meanwhile: nothing is overwritten.
 */
export class Draft {
  state: DraftState;
  private base: Base;
  /** The save that is under way, or whose answer was lost. It is sent once more as it was: stored twice it is stored once. */
  private sent: Save | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> | undefined;
  /** A newer text that was seen while one was being saved. */
  private missed: Session | undefined;
  private readonly watchers = new Set<() => void>();

  constructor(
    session: Session,
    private readonly world: DraftWorld,
  ) {
    this.base = { text: session.task, version: session.task_version };
    this.state = { text: session.task, status: "saved" };
    const kept = world.kept();
    // One that an older build kept does not say what it was made from.
    if (!kept || typeof kept.base !== "object" || kept.text === session.task) return;
    this.state = { text: kept.text, status: "dirty" };
    this.base = kept.base;
    this.sent = kept.sent;
    this.schedule();
  }

  edit(text: string): void {
    if (text === this.state.text) return;
    this.set({ text, status: "dirty" });
    this.keep();
    this.schedule();
  }

  /** The text that the engine has, as far as it is known here. */
  get stored(): Readonly<Base> {
    return this.base;
  }

  /** The engine's state changed, here or elsewhere. */
  seen(session: Session): void {
    if (this.saving) this.missed = session;
    if (session.task_version <= this.base.version || this.saving) return;
    const theirs = { text: session.task, version: session.task_version };
    if (this.state.text === this.base.text || this.state.text === theirs.text) this.adopt(theirs);
    // Stored on top of what it was made from: the engine puts both together.
    else this.schedule(0);
  }

  /** Stores now; resolves when the engine has the text, rejects when it cannot. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.saving) await this.saving;
    if (this.state.text === this.base.text) return;
    await this.save();
    if (this.state.status === "offline" || this.state.status === "failed") {
      throw new ApiError("unavailable", "task_not_stored", "The task could not be stored yet. It is kept on this page.");
    }
    if (this.state.text !== this.base.text) await this.flush();
  }

  /** The link is back. */
  retry(): void {
    if (this.state.status === "offline" || this.state.status === "failed") this.schedule(0);
  }

  /** Takes the last step of the task back, or does it again; what is typed is stored first. */
  async move(way: "undo" | "redo"): Promise<void> {
    await this.flush();
    const { base } = this;
    const session = await this.world.move(way, base.version);
    // What was saved meanwhile has the step in it already.
    if (this.base !== base) return;
    if (this.state.text === base.text) return this.adopt({ text: session.task, version: session.task_version });
    // What was typed meanwhile was made from the text before: the engine puts both together.
    this.schedule(0);
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  snapshot = (): DraftState => this.state;

  private schedule(ms = SAVE_MS): void {
    // Not pushed back by further keystrokes: a person who types on is stored too.
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.save();
    }, ms);
  }

  private save(): Promise<void> {
    this.saving ??= this.saveOnce().finally(() => {
      this.saving = undefined;
      if (this.state.status === "dirty") this.schedule();
      // What the save answered may be older than what was seen while it was under way.
      const { missed } = this;
      this.missed = undefined;
      if (missed) this.seen(missed);
    });
    return this.saving;
  }

  private async saveOnce(): Promise<void> {
    const save = (this.sent ??= { text: this.state.text, base: this.base });
    const { text, base } = save;
    this.set({ text: this.state.text, status: "saving" });
    this.keep();
    try {
      const session = await this.world.save(text, base);
      this.sent = undefined;
      const merged = session.task !== text;
      if (this.state.text === text) {
        this.adopt({ text: session.task, version: session.task_version }, merged);
        return;
      }
      // What was typed since was made from the text that was sent. Where that is not what is stored now, an old version
      // says so, and the engine puts both together once more.
      this.base = { text, version: merged ? base.version : session.task_version };
      this.set({ text: this.state.text, status: "dirty" });
      this.keep();
    } catch (error) {
      const offline = error instanceof ApiError && error.reason === "link_closed";
      // The engine said no: it has not got it.
      if (!offline) this.sent = undefined;
      this.set({ ...this.state, status: offline ? "offline" : "failed" });
      this.keep();
      // A lost link is retried when it is back.
      if (!offline) this.schedule(RETRY_MS);
    }
  }

  private keep(): void {
    const local = { text: this.state.text, base: this.base };
    this.world.keep(this.sent ? { ...local, sent: this.sent } : local);
  }

  private adopt(theirs: Base, merged = false): void {
    this.base = theirs;
    this.world.keep(undefined);
    this.set(merged ? { text: theirs.text, status: "saved", merged } : { text: theirs.text, status: "saved" });
  }

  private set(state: DraftState): void {
    this.state = state;
    for (const notify of [...this.watchers]) notify();
  }
}

/** The drafts of a page, one per session; they outlive the editor that shows them. */
export class Drafts {
  private readonly open = new Map<string, Draft>();

  constructor(private readonly world: (session: string) => DraftWorld) {}

  of(session: Session): Draft {
    let draft = this.open.get(session.id);
    if (!draft) {
      draft = new Draft(session, this.world(session.id));
      this.open.set(session.id, draft);
    }
    return draft;
  }

  get(session: string): Draft | undefined {
    return this.open.get(session);
  }

  retry(): void {
    for (const draft of this.open.values()) draft.retry();
  }
}

/** Where a place in `before` is in `after`: what stands before the change stays, what stands behind it moves with it. */
export function moved(place: number, before: string, after: string): number {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  if (place <= head) return place;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return place >= before.length - tail ? place + after.length - before.length : Math.min(place, after.length - tail);
}
