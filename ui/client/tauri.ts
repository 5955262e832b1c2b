import { Channel, invoke } from "@tauri-apps/api/core";
import type { Dial } from "./link.ts";

/** What the desktop app sends: a frame, a record's bytes, or `null` when the link has ended. */
type FromApp = string | ArrayBuffer | null;

/**
 * A link over the desktop app's one pair of commands. Commands may overtake each other, so one is under way at a time
 * and carries every frame that came meanwhile.
 */
export function tauriDial(refused: (why: string) => void): Dial {
  return (handlers) => {
    let closed = false;
    let link: number | undefined;
    let waiting: string[] = [];
    let sending = false;

    const close = () => {
      if (closed) return;
      closed = true;
      handlers.closed();
    };
    const flush = async () => {
      if (sending || closed || link === undefined) return;
      sending = true;
      while (waiting.length > 0 && !closed) {
        const frames = waiting;
        waiting = [];
        try {
          await invoke("link_send", { link, frames });
        } catch {
          close();
        }
      }
      sending = false;
    };

    const to = new Channel<FromApp>((message) => {
      if (closed) return;
      if (message === null) close();
      else if (typeof message === "string") handlers.text(message);
      else handlers.binary(new Uint8Array(message));
    });
    invoke<number>("link_open", { to }).then(
      (id) => {
        link = id;
        if (!closed) handlers.opened();
      },
      (why: unknown) => {
        refused(String(why));
        close();
      },
    );
    return {
      send: (text) => {
        waiting.push(text);
        void flush();
      },
      close,
    };
  };
}
