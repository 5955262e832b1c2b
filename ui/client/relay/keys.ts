/** This device's two keys, how people compare them, and where they are kept. */
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { concat, utf8, type Random } from "./bytes.ts";
import { keyPair, type KeyPair } from "./noise.ts";

export interface PublicKeys {
  /** X25519: opens sessions. */
  noise: Uint8Array;
  /** Ed25519: signs. */
  link: Uint8Array;
}

export interface DeviceKeys {
  noise: KeyPair;
  link: KeyPair;
}

/** New keys: the X25519 secret, then the Ed25519 seed, in one draw. */
export function generateKeys(random: Random): DeviceKeys {
  return keysFromSecret(random(64));
}

export function keysFromSecret(bytes: Uint8Array): DeviceKeys {
  const link = bytes.slice(32, 64);
  return { noise: keyPair(bytes.slice(0, 32)), link: { secret: link, public: ed25519.getPublicKey(link) } };
}

export const keysToSecret = (keys: DeviceKeys): Uint8Array => concat(keys.noise.secret, keys.link.secret);

export const publicKeys = (keys: DeviceKeys): PublicKeys => ({ noise: keys.noise.public, link: keys.link.public });

export const sign = (keys: DeviceKeys, message: Uint8Array): Uint8Array => ed25519.sign(message, keys.link.secret);

/** Both keys as people compare them, in groups of four hexadecimal digits. */
export function fingerprint(keys: PublicKeys): string {
  const hash = sha256(concat(utf8("plantocode-fingerprint-v1"), keys.noise, keys.link));
  return (bytesToHex(hash.slice(0, 16)).match(/.{4}/g) ?? []).join(" ");
}

export const isKey = (bytes: Uint8Array): boolean => bytes.length === x25519.lengths.publicKey;

/** A desktop that this phone is paired with. */
export interface PairedDesktop {
  /** The server, for example `https://relay.example`. */
  origin: string;
  /** This phone's device id there, once it is enrolled. */
  device?: string;
  /** The certificate to enrol with, until then. */
  certificate?: Uint8Array;
  /** The desktop's device id, name and keys. */
  desktop: string;
  name: string;
  keys: PublicKeys;
  /** What was granted. */
  scopes: string[];
}

/** The same with what only this phone knows. */
export interface Pairing extends PairedDesktop {
  /** This phone's keys for this pairing alone: servers and desktops take a key once. */
  secret: Uint8Array;
}

/** Everything this phone has to remember. */
export interface Remembered {
  desktops: Pairing[];
}

/** As it was kept by builds that had one secret for all pairings. */
export interface RememberedBefore {
  secret: Uint8Array;
  desktops: PairedDesktop[];
}

/** What was kept, in today's form. A pairing goes on with the secret that it was made with. */
export const today = (kept: Remembered | RememberedBefore): Remembered =>
  "secret" in kept ? { desktops: kept.desktops.map((desktop) => ({ ...desktop, secret: kept.secret })) } : kept;

/** Where it is remembered. */
export interface KeyStore {
  load(): Promise<Remembered | RememberedBefore | undefined>;
  save(remembered: Remembered): Promise<void>;
  /** Forgets everything, keys too. */
  clear(): Promise<void>;
}

export function memoryStore(): KeyStore {
  let kept: Remembered | undefined;
  return {
    load: () => Promise.resolve(kept && structuredClone(kept)),
    save: (remembered) => Promise.resolve(void (kept = structuredClone(remembered))),
    clear: () => Promise.resolve(void (kept = undefined)),
  };
}

const TABLE = "relay";
const ROW = "device";

/** In the page's own database. Another page of this origin could read it, which is why the client is served alone. */
export function browserStore(factory: IDBFactory = indexedDB, name = "plantocode"): KeyStore {
  const open = () =>
    new Promise<IDBDatabase>((resolve, reject) => {
      const request = factory.open(name, 1);
      request.onupgradeneeded = () => void request.result.createObjectStore(TABLE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const run = async <T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await open();
    try {
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction(TABLE, mode);
        const request = ask(transaction.objectStore(TABLE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  };
  return {
    load: () => run("readonly", (table) => table.get(ROW) as IDBRequest<Remembered | RememberedBefore | undefined>),
    save: async (remembered) => void (await run("readwrite", (table) => table.put(remembered, ROW))),
    clear: async () => void (await run("readwrite", (table) => table.delete(ROW))),
  };
}
