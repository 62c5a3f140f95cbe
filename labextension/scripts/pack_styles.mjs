// Writes the style sheets as one, without comments and blanks: they travel within the scripts, where nothing else shortens them.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';

const STYLE = new URL('../style/', import.meta.url);
const SOURCE = new URL('../src/', import.meta.url);
const TARGET = new URL('../lib/', import.meta.url);

const index = await readFile(new URL('index.css', STYLE), 'utf8');
const names = [...index.matchAll(/@import url\('(.+?)'\)/g)].map(([, name]) => name);
const sheets = await Promise.all(names.map(name => readFile(new URL(name, STYLE), 'utf8')));
const short = sheets
  .join('\n')
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/\s+/g, ' ')
  .replace(/ ?([{};,>]) ?/g, '$1')
  .replace(/: /g, ':')
  .replace(/;}/g, '}')
  .replace(/\b0\./g, '.')
  .trim();
// Properties that no script reads need no long names.
const sources = (await readdir(SOURCE, { recursive: true })).filter(name => /\.tsx?$/.test(name));
const scripts = (await Promise.all(sources.map(name => readFile(new URL(name, SOURCE), 'utf8')))).join();
const own = [...new Set(short.match(/--cloudml-[\w-]+/g))].filter(name => !scripts.includes(name.replace(/\d+$/, '')));
const packed = short.replace(/--cloudml-[\w-]+/g, name => (own.includes(name) ? `--cml${own.indexOf(name)}` : name));
await mkdir(TARGET, { recursive: true });
// Put on the page as they are: what a loader of style sheets can do beyond that is not needed.
await writeFile(
  new URL('style.js', TARGET),
  `const style = document.createElement('style');
style.textContent = ${JSON.stringify(packed)};
document.head.append(style);
`
);
