import type { Suggestion } from "#client/api.gen.ts";
import { TASK } from "./data.ts";

/** A passage of the task and what a model would rather say. */
export const PASSAGE = {
  before: "gives up on the first connection error",
  text: "gives up after the first `ConnectionError`",
};

const REFINED = `Retry failed requests with a growing delay, at most three times.

\`Client::send\` in src/http/client.rs gives up after the first \`ConnectionError\`. Add a RetryPolicy (attempts, first delay, jitter) in src/http/retry.rs, use it in \`Client::send\`, and make the policy part of \`Configuration\` in src/config.rs. Requests with a body that cannot be replayed must not be retried.

Open: whether a response with the status 503 counts as a failure.`;

export const suggestion = (over: Partial<Suggestion> = {}): Suggestion => ({ job: "h1", state: "applied", before: TASK, text: REFINED, ...over });
