import type { StartedResearch } from "#client/api.gen.ts";
import type { Engine } from "../../engine.tsx";
import { hostsOf, NO_DRAFT, questionsOf, withoutQuestions, type AskDraft } from "./research.ts";

/** Under which name what a person writes down to ask is kept. */
export const draftOf = (session: string): string => `research.draft.${session}`;

/** Under which name asking goes on, whatever is closed or opened meanwhile. */
export const taskOf = (session: string): string => `research.ask.${session}`;

interface Asked {
  session: string;
  /** What was written when it was asked. */
  draft: AskDraft;
  /** A model proposes the questions. */
  propose: boolean;
  model: string | undefined;
}

const firstJob = (started: StartedResearch): string | undefined => started.proposal?.id ?? started.findings[0]?.job;

/**
 * Asks what was written down, or for questions to ask; `then` hears which job asks the person first. One press asks
 * once: while it is under way nothing more is asked for this session.
 */
export function ask({ connection, drafts, prefs, tasks }: Pick<Engine, "connection" | "drafts" | "prefs" | "tasks">, { session, draft, propose, model }: Asked, then: (job: string | undefined) => void): boolean {
  return tasks.run(taskOf(session), async () => {
    const questions = propose ? [] : questionsOf(draft.questions);
    if (propose) await drafts.get(session)?.flush();
    const started = await connection.call("research.start", {
      session, questions, searches: Number(draft.searches), domains: hostsOf(draft.hosts), ...(model === undefined ? {} : { model }),
    });
    // Proposing leaves what was typed for another time, and so does asking what was typed since.
    if (!propose) prefs.set(draftOf(session), withoutQuestions(prefs.get<AskDraft>(draftOf(session), NO_DRAFT), questions));
    await Promise.all([connection.store.refresh("jobs.list", {}), connection.store.refresh("research.list", { session })]);
    then(firstJob(started));
  });
}
