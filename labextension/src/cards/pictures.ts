/** Thumbnails of an output: only what begins as a picture does becomes an address, and only as data. */

const KINDS: readonly [prefix: RegExp, type: string][] = [
  [/^\u0089PNG\r\n\u001a\n/, 'image/png'],
  [/^\u00ff\u00d8\u00ff/, 'image/jpeg'],
  [/^RIFF[\s\S]{4}WEBP/, 'image/webp']
];
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The first sixteen characters hold the twelve bytes that tell. */
const HEAD = 16;

/** A `data:` address of a PNG, JPEG or WebP, else null. */
export function pictureAddress(base64: string | null): string | null {
  if (!base64 || base64.length < HEAD || !BASE64.test(base64)) {
    return null;
  }
  const head = atob(base64.slice(0, HEAD));
  const kind = KINDS.find(([prefix]) => prefix.test(head));
  return kind ? `data:${kind[1]};base64,${base64}` : null;
}
