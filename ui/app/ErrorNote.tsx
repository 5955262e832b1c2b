import type { ApiError } from "#client/rpc.ts";
import { ErrorState } from "#kit/states.tsx";
import { errorDetails, sentence, w } from "./words.ts";

export function ErrorNote({ error, again }: { error: ApiError | undefined; again?: () => void }) {
  if (!error || error.code === "canceled") return null;
  return <ErrorState text={sentence(error)} details={errorDetails(error)} words={w.error} again={again} />;
}
