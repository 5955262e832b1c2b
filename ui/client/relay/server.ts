/** What a phone asks of the server over HTTP: to be enrolled, and a ticket for its socket. */
import { base64, fields, fromBase64, member, object, RelayError } from "./bytes.ts";
import { sign, type DeviceKeys } from "./keys.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

async function post(fetch: Fetch, url: string, body: object): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    throw new RelayError("unreachable", `The server cannot be reached: ${String(error)}.`);
  }
  if (response.status === 401) throw new RelayError("forged", "The server did not take this phone's signature.");
  if (response.status === 403) {
    throw new RelayError("refused", "The server does not know this phone (any more). Pair it again.");
  }
  if (!response.ok) throw new RelayError("unreachable", `The server answered ${response.status}.`);
  return object(await response.text());
}

/** Enrols a phone with the certificate of its desktop; answers with its device id. Throws `refused`, `unreachable`. */
export async function enroll(fetch: Fetch, origin: string, keys: DeviceKeys, certificate: Uint8Array): Promise<string> {
  const proof = sign(keys, enrolmentProof(origin, certificate));
  const said = await post(fetch, `${origin}/api/devices/enroll`, { certificate: base64(certificate), proof: base64(proof) });
  return member(said, "device");
}

/** Gets a one-time ticket. Throws `refused`, `unreachable`. */
export async function obtainTicket(fetch: Fetch, origin: string, keys: DeviceKeys, device: string): Promise<string> {
  try {
    return await askForTicket(fetch, origin, keys, device);
  } catch (error) {
    if (!(error instanceof RelayError) || error.reason !== "forged") throw error;
  }
  // The challenge may have been too old, after the page slept between the two requests. Twice is no accident.
  try {
    return await askForTicket(fetch, origin, keys, device);
  } catch (error) {
    if (!(error instanceof RelayError) || error.reason !== "forged") throw error;
    throw new RelayError("refused", "The server does not know this phone (any more). Pair it again.");
  }
}

async function askForTicket(fetch: Fetch, origin: string, keys: DeviceKeys, device: string): Promise<string> {
  const { nonce } = await post(fetch, `${origin}/api/devices/challenge`, { device });
  if (typeof nonce !== "string") throw new RelayError("malformed", "A challenge of another form.");
  const signature = sign(keys, ticketProof(origin, device, fromBase64(nonce, 32)));
  const said = await post(fetch, `${origin}/api/devices/ticket`, { device, nonce, signature: base64(signature) });
  return member(said, "ticket");
}

export const enrolmentProof = (origin: string, certificate: Uint8Array): Uint8Array =>
  fields("plantocode-enroll-v1", origin, certificate);

export const ticketProof = (origin: string, device: string, nonce: Uint8Array): Uint8Array =>
  fields("plantocode-ticket-v1", origin, device, nonce);

export interface RegistrationOf {
  origin: string;
  account: string;
  device: string;
  generation: number;
  nonce: Uint8Array;
  tokenId: string;
}

export const registrationProof = (of: RegistrationOf): Uint8Array =>
  fields("plantocode-link-v1", of.origin, of.account, of.device, of.generation, of.nonce, of.tokenId);
