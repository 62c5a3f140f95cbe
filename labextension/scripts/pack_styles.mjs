// Writes the style sheets as one, without comments and blanks: they travel within the scripts, where nothing else shortens them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const STYLE = new URL('../style/', import.meta.url);
const TARGET = new URL('../lib/', import.meta.url);

const index = await readFile(new URL('index.css', STYLE), 'utf8');
const names = [...index.matchAll(/@import url\('(.+?)'\)/g)].map(([, name]) => name);
const sheets = await Promise.all(names.map(name => readFile(new URL(name, STYLE), 'utf8')));
const packed = sheets
  .join('\n')
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/\s+/g, ' ')
  .replace(/ ?([{};,>]) ?/g, '$1')
  .replace(/: /g, ':')
  .replace(/;}/g, '}')
  .trim();
await mkdir(TARGET, { recursive: true });
await writeFile(new URL('style.css', TARGET), packed);
await writeFile(new URL('style.js', TARGET), "import './style.css';\n");
