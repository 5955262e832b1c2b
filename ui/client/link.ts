/** What a transport is: text frames out, and three things that can happen. */
export interface Link {
  send(text: string): void;
  close(): void;
}

export interface LinkHandlers {
  opened(): void;
  text(text: string): void;
  /** Called once, also when the link never opened. */
  closed(): void;
}

/** Starts a link. Handlers are called later, never during the call. */
export type Dial = (handlers: LinkHandlers) => Link;
