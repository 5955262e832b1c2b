/** What a transport is: text frames out, and four things that can happen. */
export interface Link {
  send(text: string): void;
  close(): void;
}

export interface LinkHandlers {
  opened(): void;
  text(text: string): void;
  /** A record: `u32 call | u8 kind | u64 epoch | u64 offset | bytes`. */
  binary(bytes: Uint8Array): void;
  /** Called once, also when the link never opened. */
  closed(): void;
}

/** Starts a link. Handlers are called later, never during the call. */
export type Dial = (handlers: LinkHandlers) => Link;
