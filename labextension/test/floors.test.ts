/// <reference types="vite/client" />
/** The page has floors too: a room imports only from those beneath it, so that data flows one way. */

import { expect, test } from 'vitest';

/** From the ground up; rooms of one floor never import each other. */
const FLOORS = [
  ['documents'],
  ['wording'],
  ['server'],
  ['tokens'],
  ['store', 'parts', 'charts'],
  ['cards'],
  ['job_tab', 'panel'],
  ['shell'],
  ['index']
];
const SOURCES = import.meta.glob<string>('../src/**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });
const FILES = Object.keys(SOURCES);

const roomOf = (file: string): string =>
  file
    .replace('../src/', '')
    .split('/')[0]!
    .replace(/\.tsx?$/, '');
const floorOf = (file: string): number => FLOORS.findIndex(rooms => rooms.includes(roomOf(file)));

/** What a file imports of ours, as paths like its own. */
function imports(file: string): string[] {
  const texts = [...SOURCES[file]!.matchAll(/from '(\.[^']+)'/g)].map(match => match[1]!);
  return texts.map(text => `..${new URL(text, `file:///${file.replace('../', '')}`).pathname}`);
}

test('every room stands on a floor', () => {
  expect(FILES.length).toBeGreaterThan(50);
  expect(FILES.filter(file => floorOf(file) < 0)).toEqual([]);
});

test('a room imports only from the floors beneath it', () => {
  const wrong = FILES.flatMap(file =>
    imports(file)
      .filter(target => roomOf(target) !== roomOf(file) && floorOf(target) >= floorOf(file))
      .map(target => `${file} → ${target}`)
  );
  expect(wrong).toEqual([]);
  expect(FILES.flatMap(imports).filter(target => floorOf(target) < 0)).toEqual([]);
});
