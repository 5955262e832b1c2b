import type { Terminal } from "#client/api.gen.ts";
import { Actions, Button } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { w } from "../../words.ts";
import { useClose } from "./useTerminals.ts";

/** Asks before a program is stopped: that cannot be undone. */
export function EndSheet({ terminal, close }: { terminal: Terminal | undefined; close(): void }) {
  const end = useClose();
  if (!terminal) return null;
  return (
    <Sheet title={w.terminals.endTitle(terminal.title)} close={w.close} open onClose={close}>
      <p>{w.terminals.endText}</p>
      <Actions>
        <Button look="primary" onClick={() => { end(terminal); close(); }}>{w.terminals.end}</Button>
        <Button onClick={close}>{w.terminals.keep}</Button>
      </Actions>
    </Sheet>
  );
}
