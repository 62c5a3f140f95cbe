/** Reads documents of unknown origin: a clean copy with the fields of the schema and nothing else, or null. */

import { clean } from './clean';
import {
  DELTA_SCHEMA,
  JOB_SCHEMA,
  PREDICTION_SCHEMA,
  type JobDelta,
  type JobDocument,
  type PredictionDocument
} from './generated';

/** The part of JSON Schema that our schemas use. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  /** All of the properties, where nothing else is said. */
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Deeper than any document of ours. */
const DEEPEST = 12;
const LONGEST_KEY = 200;
const REFUSED = Symbol('refused');
const NEVER_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

export function readJob(value: unknown): JobDocument | null {
  const job = read<JobDocument>(value, JOB_SCHEMA);
  return job && job.curves.every(isAligned) ? job : null;
}

export function readDelta(value: unknown): JobDelta | null {
  return read<JobDelta>(value, DELTA_SCHEMA);
}

export function readPrediction(value: unknown): PredictionDocument | null {
  return read<PredictionDocument>(value, PREDICTION_SCHEMA);
}

function read<T>(value: unknown, schema: Schema): T | null {
  try {
    const copy = copyOf(value, schema, 0);
    return copy === REFUSED ? null : (copy as T);
  } catch {
    // A getter or a proxy that throws is no document.
    return null;
  }
}

function isAligned(curve: JobDocument['curves'][number]): boolean {
  const length = curve.steps.length;
  return curve.values.length === length && (curve.validation === null || curve.validation.length === length);
}

function copyOf(value: unknown, schema: Schema, depth: number): unknown {
  if (depth > DEEPEST || ('const' in schema && value !== schema.const) || (schema.enum && !schema.enum.includes(value))) {
    return REFUSED;
  }
  const type = typeOf(value);
  const allowed = typeof schema.type === 'string' ? [schema.type] : schema.type;
  if (allowed && !allowed.includes(type) && !(type === 'integer' && allowed.includes('number'))) {
    return REFUSED;
  }
  switch (type) {
    case 'string':
      return text(value as string, schema);
    case 'integer':
    case 'number':
      return (value as number) < (schema.minimum ?? -Infinity) || (value as number) > (schema.maximum ?? Infinity)
        ? REFUSED
        : value;
    case 'boolean':
    case 'null':
      return value;
    case 'array':
      return list(value as unknown[], schema, depth);
    case 'object':
      return record(value as object, schema, depth);
    default:
      return REFUSED;
  }
}

function typeOf(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (typeof value === 'number') {
    return !Number.isFinite(value) ? 'not finite' : Number.isInteger(value) ? 'integer' : 'number';
  }
  return Array.isArray(value) ? 'array' : typeof value;
}

function text(value: string, schema: Schema): unknown {
  if (schema.pattern) {
    return value.length <= (schema.maxLength ?? Infinity) && new RegExp(schema.pattern).test(value) ? value : REFUSED;
  }
  // What is only read is cut and not refused; an emoji is one character, whatever UTF-16 makes of it.
  const most = schema.maxLength ?? value.length;
  const shown = clean(value.slice(0, 2 * most));
  return shown.length <= most ? shown : [...shown].slice(0, most).join('');
}

function list(value: unknown[], schema: Schema, depth: number): unknown {
  if (value.length > (schema.maxItems ?? Infinity) || !schema.items) {
    return REFUSED;
  }
  const items = schema.items;
  const copies = Array.from(value, item => copyOf(item, items, depth + 1));
  const isRepeating = schema.uniqueItems === true && new Set(copies).size !== copies.length;
  return isRepeating || copies.includes(REFUSED) ? REFUSED : copies;
}

function record(value: object, schema: Schema, depth: number): unknown {
  const known = Object.keys(schema.properties ?? {});
  if ((schema.required ?? known).some(name => !Object.hasOwn(value, name))) {
    return REFUSED;
  }
  const rest = schema.additionalProperties;
  const names = rest ? Object.keys(value) : known.filter(name => Object.hasOwn(value, name));
  if (names.length > (schema.maxProperties ?? Infinity)) {
    return REFUSED;
  }
  const copy: Record<string, unknown> = {};
  for (const name of names) {
    const key = rest ? clean(name) : name;
    if (NEVER_KEYS.has(key) || key.length > LONGEST_KEY) {
      return REFUSED;
    }
    const item = copyOf((value as Record<string, unknown>)[name], schema.properties?.[name] ?? rest ?? {}, depth + 1);
    if (item === REFUSED) {
      return REFUSED;
    }
    copy[key] = item;
  }
  return copy;
}
