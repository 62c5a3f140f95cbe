// Makes src/documents/generated.ts of the schemas that the Python side validates by: types, and the schemas as data;
// beside them the version of this half, which the page compares with the server's.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';

const SCHEMAS = new URL('../../cloudml_magic/cards/schema/', import.meta.url);
const PACKAGE = new URL('../package.json', import.meta.url);
const TARGET = new URL('../src/documents/generated.ts', import.meta.url);
const NAMES = ['job', 'delta', 'prediction'];

/** Whether a node says only what goes without saying on a page: no more fields than these, and all of them. */
const isSaid = (node, key, value) =>
  (key === 'additionalProperties' && value === false) ||
  (key === 'required' && String(value) === String(Object.keys(node.properties ?? {})));

/** The schema without its prose, which no page needs, and without what is the rule. */
const bare = (node, isNamed = false) =>
  Array.isArray(node)
    ? node.map(item => bare(item))
    : node && typeof node === 'object'
      ? Object.fromEntries(
          Object.entries(node)
            .filter(
              ([key, value]) => isNamed || !(['description', 'title', '$id', '$schema'].includes(key) || isSaid(node, key, value))
            )
            .map(([key, value]) => [key, bare(value, key === 'properties' && !isNamed)])
        )
      : node;

/** Source of a schema; what the job's has already is named instead of said again. */
const literal = (node, shared) => {
  const text = JSON.stringify(node);
  if (shared.has(text)) {
    return shared.get(text);
  }
  if (Array.isArray(node) || !node || typeof node !== 'object') {
    return text;
  }
  return `{${Object.entries(node)
    .map(([key, value]) => `${JSON.stringify(key)}:${literal(value, shared)}`)
    .join(',')}}`;
};

const shared = new Map();
const parts = ['// Made by scripts/generate_documents.mjs of cloudml_magic/cards/schema; do not edit.\n'];
parts.push(`export const PACKAGE_VERSION = ${JSON.stringify(JSON.parse(await readFile(PACKAGE, 'utf8')).version)};\n`);
for (const name of NAMES) {
  const schema = JSON.parse(await readFile(new URL(`${name}.schema.json`, SCHEMAS), 'utf8'));
  const types = await compile(schema, schema.title, {
    bannerComment: '',
    additionalProperties: false,
    ignoreMinAndMaxItems: true
  });
  parts.push(
    `export namespace ${schema.title}Types {\n${types}}\nexport type ${schema.title} = ${schema.title}Types.${schema.title};\n`
  );
  const constant = `${name.toUpperCase()}_SCHEMA`;
  parts.push(`export const ${constant} = ${literal(bare(schema), shared)} as const;\n`);
  if (name === 'job') {
    Object.entries(bare(schema).properties).forEach(([key, value]) =>
      shared.set(JSON.stringify(value), `${constant}.properties.${key}`)
    );
  }
}
await mkdir(new URL('.', TARGET), { recursive: true });
await writeFile(TARGET, parts.join('\n'));
