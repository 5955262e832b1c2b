/** What the bytes of a terminal's records say. Pure. */
import type { TerminalExit } from "../api.gen.ts";
import type { FeedRecord } from "../rpc.ts";

export const DATA = 0;
export const SNAPSHOT = 1;
export const GAP = 2;
export const RESIZE = 3;
export const EXIT = 4;

export interface CellSize {
  columns: number;
  rows: number;
}

export type Content =
  | { kind: "data"; bytes: Uint8Array }
  | { kind: "snapshot"; size: CellSize; bytes: Uint8Array }
  | { kind: "gap"; from: number; to: number }
  | { kind: "resize"; size: CellSize }
  | { kind: "exit"; exit: TerminalExit };

/** Undefined for a kind that this build does not know and for one that is too short: it is passed over. */
export function contentOf(record: FeedRecord): Content | undefined {
  const { bytes } = record;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (record.kind) {
    case DATA:
      return { kind: "data", bytes };
    case SNAPSHOT: {
      const size = sizeOf(view);
      return size && { kind: "snapshot", size, bytes: bytes.subarray(4) };
    }
    case GAP:
      if (view.byteLength < 8) return undefined;
      return { kind: "gap", from: record.offset, to: Number(view.getBigUint64(0)) };
    case RESIZE: {
      const size = sizeOf(view);
      return size && { kind: "resize", size };
    }
    case EXIT:
      return { kind: "exit", exit: exitOf(bytes) };
    default:
      return undefined;
  }
}

function sizeOf(view: DataView): CellSize | undefined {
  if (view.byteLength < 4) return undefined;
  const [columns, rows] = [view.getUint16(0), view.getUint16(2)];
  return columns > 0 && rows > 0 ? { columns, rows } : undefined;
}

function exitOf(bytes: Uint8Array): TerminalExit {
  try {
    const said = JSON.parse(new TextDecoder().decode(bytes)) as TerminalExit;
    return {
      ...(typeof said.code === "number" ? { code: said.code } : {}),
      ...(typeof said.signal === "string" ? { signal: said.signal } : {}),
    };
  } catch {
    return {};
  }
}
