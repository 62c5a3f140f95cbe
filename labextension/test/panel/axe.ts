/** Holds what is drawn to the rules of accessibility that need no layout. */

import axe from 'axe-core';
import { expect } from 'vitest';

export async function expectAccessible(element: Element): Promise<void> {
  const { violations } = await axe.run(element, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`)).toEqual([]);
}

export const PAYLOADS = [
  '<img src=x onerror="window.struck = true">',
  '"><script>window.struck = true</script>',
  'javascript:window.struck=true',
  '<svg onload=window.struck=true>',
  '{{constructor.constructor("window.struck=true")()}}'
];

/** Nothing of a payload became an element, a handler or an address. */
export function expectTextOnly(element: Element): void {
  expect(element.querySelectorAll('script, iframe, [onerror], [onload], img[src="x"]')).toHaveLength(0);
  const addresses = [...element.querySelectorAll('[href], [src]')].map(
    each => each.getAttribute('href') ?? each.getAttribute('src') ?? ''
  );
  expect(addresses.filter(address => !/^(data:image\/(png|jpeg|webp);base64,|blob:)/.test(address))).toEqual([]);
  expect((window as unknown as { struck?: boolean }).struck).toBeUndefined();
}
