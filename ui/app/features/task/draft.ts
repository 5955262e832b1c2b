import type { Session } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";

export interface DraftState {
  text: string;
  status: "saved" | "dirty" | "saving" | "offline" | "failed" | "conflict";
  /** The other text, while both are offered. */
  theirs?: { text: string; version: number };
}

/** What a draft needs of the world. */
export interface DraftWorld {
  save(text: string, base: number): Promise<Session>;
  load(): Promise<Session>;
  /** Survives a closed tab. */
  keep(local: LocalDraft | undefined): void;
  kept(): LocalDraft | undefined;
}

export interface LocalDraft {
  text: string;
  base: number;
}

const SAVE_MS = 350;
const RETRY_MS = 2000;

/**
 * The text of one task while it is typed. Each keystroke is kept on this machine at once and stored by the
 * engine within a second; a text that someone else stored meanwhile is never overwritten unasked.
 */
export class Draft {
  state: DraftState;
  private base: { text: string; version: number };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> | undefined;
  private readonly watchers = new Set<() => void>();

  constructor(
    session: Session,
    private readonly world: DraftWorld,
  ) {
    this.base = { text: session.task, version: session.task_version };
    this.state = { text: session.task, status: "saved" };
    const kept = world.kept();
    if (!kept || kept.text === session.task) return;
    this.state = { text: kept.text, status: "dirty" };
    if (kept.base === session.task_version) this.schedule();
    else this.state = { ...this.state, status: "conflict", theirs: { ...this.base } };
  }

  edit(text: string): void {
    if (text === this.state.text) return;
    this.world.keep({ text, base: this.base.version });
    if (this.state.status === "conflict") return this.set({ ...this.state, text });
    this.set({ text, status: "dirty" });
    this.schedule();
  }

  /** The engine's state changed, here or elsewhere. */
  seen(session: Session): void {
    if (session.task_version <= this.base.version || this.saving) return;
    const theirs = { text: session.task, version: session.task_version };
    if (this.state.text === this.base.text || this.state.text === theirs.text) this.adopt(theirs);
    else this.dispute(theirs);
  }

  /** Stores now; resolves when the engine has the text, rejects when it cannot. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.saving) await this.saving;
    if (this.state.status === "conflict") {
      throw new ApiError("conflict", "task_conflict", "Choose between the two texts of the task first.");
    }
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

  choose(which: "yours" | "theirs" | "both"): void {
    const { theirs } = this.state;
    if (!theirs) return;
    if (which === "theirs") return this.adopt(theirs);
    const text = which === "both" ? `${this.state.text}\n\n${theirs.text}` : this.state.text;
    this.base = theirs;
    this.world.keep({ text, base: theirs.version });
    this.set({ text, status: "dirty" });
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
    });
    return this.saving;
  }

  private async saveOnce(): Promise<void> {
    const { text } = this.state;
    if (this.state.status === "conflict") return;
    this.set({ text, status: "saving" });
    try {
      const session = await this.world.save(text, this.base.version);
      this.base = { text, version: session.task_version };
      if (this.state.text === text) {
        this.world.keep(undefined);
        this.set({ text, status: "saved" });
      } else {
        this.world.keep({ text: this.state.text, base: this.base.version });
        this.set({ text: this.state.text, status: "dirty" });
      }
    } catch (error) {
      await this.failed(error);
    }
  }

  private async failed(error: unknown): Promise<void> {
    const conflict = error instanceof ApiError && error.code === "conflict";
    if (!conflict) {
      const offline = error instanceof ApiError && error.reason === "link_closed";
      this.set({ ...this.state, status: offline ? "offline" : "failed" });
      // A lost link is retried when it is back.
      if (!offline) this.schedule(RETRY_MS);
      return;
    }
    try {
      const session = await this.world.load();
      const theirs = { text: session.task, version: session.task_version };
      if (theirs.text === this.state.text) this.adopt(theirs);
      else this.dispute(theirs);
    } catch {
      this.set({ ...this.state, status: "failed" });
      this.schedule(RETRY_MS);
    }
  }

  private adopt(theirs: { text: string; version: number }): void {
    this.base = theirs;
    this.world.keep(undefined);
    this.set({ text: theirs.text, status: "saved" });
  }

  private dispute(theirs: { text: string; version: number }): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.set({ text: this.state.text, status: "conflict", theirs });
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
