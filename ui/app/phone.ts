import { useSyncExternalStore } from "react";

/** What the phone's shell tells about the link that it made. */
export interface Phone {
  /** The name of the desktop. */
  desktop: string;
  /** Fingerprints of both ends. */
  fingerprints: { phone: string; desktop: string };
  /** The server that relays. */
  server: string;
  /** How far the terminal behind a stream is, as the desktop says beside its output. */
  head(stream: number): number | undefined;
  status(): "connecting" | "online" | "lost" | "refused";
  watch(notify: () => void): () => void;
  switchDesktop(): void;
  forget(): void;
}

export const usePhoneStatus = (phone: Phone): ReturnType<Phone["status"]> =>
  useSyncExternalStore(phone.watch, phone.status);
