import { useState } from "react";
import type { PasteRefusal } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import type { InputQueue } from "#client/terminal/input.ts";
import { Button } from "#kit/core.tsx";
import { Note } from "#kit/states.tsx";
import { asApiError } from "../../engine.tsx";
import { w } from "../../words.ts";
import css from "./terminals.module.css";
import { unified } from "./typing.ts";

export interface Refused {
  text: string;
  reason: PasteRefusal | undefined;
  message: string;
}

export interface Paste {
  refused: Refused | undefined;
  error: ApiError | undefined;
  /** Resolves to whether the text stands before the program. */
  paste(text: string): Promise<boolean>;
  typeAnyway(): void;
  clear(): void;
}

/** Pastes through the host, which says whether the program takes it as one piece. */
export function usePaste(queue: InputQueue): Paste {
  const [refused, setRefused] = useState<Refused>();
  const [error, setError] = useState<ApiError>();
  const clear = () => {
    setRefused(undefined);
    setError(undefined);
  };
  return {
    refused, error, clear,
    paste: async (raw) => {
      clear();
      const text = unified(raw);
      try {
        const result = await queue.paste(text);
        if (result.kind === "pasted") return true;
        setRefused({ text, reason: result.kind === "refused" ? result.reason : undefined, message: result.message });
      } catch (failure) {
        setError(asApiError(failure));
      }
      return false;
    },
    typeAnyway: () => {
      if (refused) queue.type(refused.text.replaceAll("\n", "\r"));
      clear();
    },
  };
}

/** What was not pasted and why. Text with control characters cannot be typed either. */
export function PasteNote({ refused, typeAnyway, close }: { refused: Refused; typeAnyway(): void; close(): void }) {
  const can = refused.reason === "no_bracketed_paste" || refused.reason === "foreground";
  return (
    <div className={css.inset}>
      <Note tone="warning" live>
        <p><b>{w.terminals.paste.refused}.</b> {refused.message || (refused.reason && w.terminals.paste.reasons[refused.reason])}</p>
        <div className={css.buttons}>
          {can && <Button onClick={typeAnyway}>{w.terminals.paste.typeAnyway}</Button>}
          <Button look="plain" onClick={close}>{w.close}</Button>
        </div>
      </Note>
    </div>
  );
}
