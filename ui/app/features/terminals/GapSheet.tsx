import { useEffect, useState } from "react";
import { ApiError, type Feed } from "#client/rpc.ts";
import type { Gap } from "#client/terminal/follower.ts";
import { bytes } from "#kit/format.ts";
import { Sheet } from "#kit/overlays.tsx";
import { Code, Skeleton } from "#kit/states.tsx";
import { useEngine } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { plainText } from "./plainText.ts";

const MOST = 1024 * 1024;

interface GapSheetProps {
  terminal: string;
  epoch: string | undefined;
  gaps: Gap[];
  window: number;
  close(): void;
}

/** Output that was left out, read again from the desktop's log; as text, without what moves a cursor. */
export function GapSheet({ terminal, epoch, gaps, window, close }: GapSheetProps) {
  const { connection } = useEngine();
  const [read, setRead] = useState<{ text: string; done: boolean; error?: ApiError }>({ text: "", done: false });
  const gap = gaps.at(-1);
  const cut = gap !== undefined && gap.to - gap.from > MOST;
  useEffect(() => {
    if (!gap || epoch === undefined) return;
    const decoder = new TextDecoder();
    let text = "";
    const range = { from: gap.from, to: Math.min(gap.to, gap.from + MOST) };
    const feed: Feed = connection.feed("terminals.history", { terminal, epoch, window, ...range }, {
      record: (record) => {
        text += decoder.decode(record.bytes, { stream: true });
        feed.consume(record.bytes.length);
      },
      end: (error) => setRead({ text: plainText(text), done: true, ...(error ? { error } : {}) }),
    });
    return () => feed.cancel();
  }, [connection, terminal, epoch, gap, window]);
  return (
    <Sheet title={w.terminals.gapTitle} close={w.close} open onClose={close} wide>
      {!read.done && <Skeleton rows={6} label={w.loading} />}
      <ErrorNote error={read.error} />
      {read.done && !read.error && (read.text === "" ? <p>{w.terminals.gapMissing}</p> : <Code text={read.text} label={w.terminals.gapTitle} />)}
      {cut && <p className="quiet">{w.terminals.gapCut(bytes(MOST))}</p>}
    </Sheet>
  );
}
