/** The phone's half of a pairing. What is sent on which socket is not known here. */
import { sha256 } from "@noble/hashes/sha2.js";
import { base64, concat, equal, fromBase64, member, object, RelayError, text, utf8, type Random } from "./bytes.ts";
import { publicKeys, type DeviceKeys, type PublicKeys } from "./keys.ts";
import { Handshake, XXpsk3, type CipherKey } from "./noise.ts";
import { digitsOf, pskOf, type PairingCode } from "./words.ts";

const PROLOGUE = utf8("plantocode-pairing-v1");

export type Decision =
  | { type: "accepted"; certificate: Uint8Array; scopes: string[]; device: string; key: Uint8Array }
  | { type: "refused"; reason: string };

/** The desktop as it introduced itself. */
export interface MetDesktop {
  device: string;
  name: string;
  keys: PublicKeys;
}

export interface Begun {
  /** To be sent first. */
  first: Uint8Array;
  /** Takes message 2; throws `forged` when the desktop is not the one whose code was scanned. */
  answer(second: Uint8Array): Waiting;
}

export interface Waiting {
  /** To be sent. */
  third: Uint8Array;
  /** To be shown; the person types them at the desktop. */
  digits: string;
  desktop: MetDesktop;
  /** Takes message 4; throws `forged`. */
  decision(fourth: Uint8Array): Decision;
}

/** SHA-256("plantocode-commit-v1" ‖ X25519 ‖ Ed25519 ‖ blind): fixes this phone's keys before it sees the desktop's. */
export const commitment = (keys: PublicKeys, blind: Uint8Array): Uint8Array =>
  sha256(concat(utf8("plantocode-commit-v1"), keys.noise, keys.link, blind));

export function beginPairing(keys: DeviceKeys, code: PairingCode, name: string, random: Random): Begun {
  const blind = random(32);
  const psk = pskOf(code.secret);
  const handshake = new Handshake({ pattern: XXpsk3, initiator: true, keys: keys.noise, psk, prologue: PROLOGUE, random });
  const ours = publicKeys(keys);
  const first = handshake.write(commitment(ours, blind));
  const answer = (second: Uint8Array): Waiting => {
    const said = object(text(handshake.read(second)));
    const noise = handshake.peer;
    if (!noise || (code.desktop && !equal(code.desktop, noise))) {
      throw new RelayError("forged", "Another desktop answered than the one whose code was scanned.");
    }
    const link = fromBase64(member(said, "link"), 32);
    const desktop = { device: member(said, "device"), name: member(said, "name"), keys: { noise, link } };
    const introduction = { name, link: base64(ours.link), blind: base64(blind) };
    const third = handshake.write(utf8(JSON.stringify(introduction)));
    const { hash, receive } = handshake.finish();
    return { third, digits: digitsOf(hash), desktop, decision: (fourth) => readDecision(receive, desktop, fourth) };
  };
  return { first, answer };
}

function readDecision(receive: CipherKey, desktop: MetDesktop, fourth: Uint8Array): Decision {
  const said = object(text(receive.open(0, PROLOGUE, fourth)));
  if (said.type !== "accepted") return { type: "refused", reason: typeof said.reason === "string" ? said.reason : "" };
  const key = fromBase64(member(said, "key"), 32);
  const device = member(said, "device");
  if (!equal(key, desktop.keys.noise) || device !== desktop.device) {
    throw new RelayError("forged", "An acceptance in another desktop's name.");
  }
  const scopes = Array.isArray(said.scopes) ? said.scopes.filter((s): s is string => typeof s === "string") : [];
  return { type: "accepted", certificate: fromBase64(member(said, "certificate", 16_384)), scopes, device, key };
}
