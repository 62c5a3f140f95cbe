/** Text as it may be shown: without colour codes, control characters and marks that change its direction. */

const ANSI = /\u001b(\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)?|[@-Z\\\-_])/g;
const TAB = /\t/g;
// Everything of the categories control, format, surrogate, line and paragraph separator, but line feed and the joiner of emoji.
const HIDDEN = /(?![\n\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SUSPECT = /[^\n\x20-\x7e]/;

export function clean(text: string): string {
  return SUSPECT.test(text) ? text.replace(ANSI, '').replace(TAB, '    ').replace(HIDDEN, '') : text;
}
