import { useCallback, useEffect, useState } from "react";
import type { Device, DeviceScope, PairEvent } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { asApiError, useEngine } from "../../engine.tsx";

export interface Pairing {
  offer: (PairEvent & { kind: "offered" }) | undefined;
  arrived: (PairEvent & { kind: "arrived" }) | undefined;
  device: Device | undefined;
  /** Why it has ended without a device. */
  ended: ApiError | undefined;
  /** Why the digits were not taken; the pairing goes on. */
  wrong: ApiError | undefined;
  tries: number | undefined;
  confirming: boolean;
  confirm(digits: string, scopes: DeviceScope[]): void;
}

/** Offers a pairing for as long as the component is shown; `round` begins another. */
export function usePairing(round: number): Pairing {
  const { connection } = useEngine();
  const [state, setState] = useState<Omit<Pairing, "confirm">>(nothing);
  useEffect(() => {
    setState(nothing);
    return connection.subscribe("devices.pair", {}, {
      item: (event) =>
        setState((s) => {
          if (event.kind === "offered") return { ...s, offer: event };
          if (event.kind === "arrived") return { ...s, arrived: event, tries: event.tries };
          return { ...s, device: event.device };
        }),
      end: (error) => error && setState((s) => (s.device ? s : { ...s, ended: error })),
    });
  }, [connection, round]);
  const pairing = state.offer?.pairing;
  const confirm = useCallback(
    (digits: string, scopes: DeviceScope[]) => {
      if (pairing === undefined) return;
      setState((s) => ({ ...s, confirming: true, wrong: undefined }));
      connection.call("devices.confirm", { pairing, digits, scopes }).then(
        (device) => {
          setState((s) => ({ ...s, confirming: false, device }));
          void connection.store.refresh("devices.list", {});
        },
        (failure: unknown) => {
          const error = asApiError(failure);
          const left = Number(error.params["left"]);
          const goesOn = error.reason === "wrong_digits" && left > 0;
          setState((s) => ({ ...s, confirming: false, ...(goesOn ? { wrong: error, tries: left } : { ended: s.ended ?? error }) }));
        },
      );
    },
    [connection, pairing],
  );
  return { ...state, confirm };
}

const nothing: Omit<Pairing, "confirm"> = {
  offer: undefined, arrived: undefined, device: undefined, ended: undefined, wrong: undefined, tries: undefined, confirming: false,
};
