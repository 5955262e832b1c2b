/**
 * A name that nobody else draws, in hexadecimal, from this many random bytes. `crypto.randomUUID` is missing from pages
 * that came without TLS from another machine; this is not.
 */
export const drawn = (bytes = 16): string => [...crypto.getRandomValues(new Uint8Array(bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
