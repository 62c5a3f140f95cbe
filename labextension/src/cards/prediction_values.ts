/** What a prediction's card shows, as plain values: for the table, and for the clipboard. */

import type { PredictionDocument } from '../documents/generated';
import { latency, percent } from '../wording';

export type PredictedInstance = PredictionDocument['instances'][number];
export type PredictedOutput = PredictedInstance['outputs'][number];

export interface Column {
  name: string;
  isNumber: boolean;
}

export function hasPictures(prediction: PredictionDocument): boolean {
  return prediction.instances.some(instance => instance.thumbnail !== null);
}

/** `3 pictures · 41 ms · served on this machine`. */
export function headline(prediction: PredictionDocument): string {
  const noun = hasPictures(prediction) ? 'picture' : 'row';
  const count = `${prediction.count.toLocaleString('en')} ${noun}${prediction.count === 1 ? '' : 's'}`;
  return [count, latency(prediction.milliseconds), prediction.where && `served on ${prediction.where}`]
    .filter(Boolean)
    .join(' · ');
}

/** Every input that any instance has; its column lines up at the right where all are numbers. */
export function inputColumns(instances: readonly PredictedInstance[]): Column[] {
  const names = [...new Set(instances.flatMap(instance => instance.inputs.map(input => input.name)))];
  return names.map(name => ({
    name,
    isNumber: instances.every(instance => instance.inputs.find(input => input.name === name)?.is_number ?? true)
  }));
}

/** Every output that any instance has. */
export function outputNames(instances: readonly PredictedInstance[]): string[] {
  return [...new Set(instances.flatMap(instance => instance.outputs.map(output => output.name)))];
}

export function outputWords(output: PredictedOutput | undefined): string {
  const best = output?.classes[0];
  return best ? `${best.label} ${percent(best.share)}` : (output?.text ?? '');
}

/** The instances as lines of tab-separated cells, for a spreadsheet. */
export function asTable(prediction: PredictionDocument): string {
  const { instances } = prediction;
  const [inputs, outputs] = [inputColumns(instances), outputNames(instances)];
  const isNamed = instances.some(instance => instance.name);
  const heading = [...(isNamed ? ['name'] : []), ...inputs.map(column => column.name), ...outputs];
  const rows = instances.map(instance => [
    ...(isNamed ? [instance.name] : []),
    ...inputs.map(({ name }) => instance.inputs.find(input => input.name === name)?.text ?? ''),
    ...outputs.map(name => outputWords(instance.outputs.find(output => output.name === name)))
  ]);
  return [heading, ...rows].map(cells => cells.map(cell => inCell(cell)).join('\t')).join('\n');
}

/** A spreadsheet takes what begins so for a formula, and runs it; what is a number may begin so. */
function inCell(text: string): string {
  const flat = text.replace(/[\t\r\n]+/g, ' ');
  return /^[=+\-@]/.test(flat) && Number.isNaN(Number(flat)) ? `'${flat}` : flat;
}

/** The instances without their pictures, for a program. */
export function asJson(prediction: PredictionDocument): string {
  const { model, version, instances } = prediction;
  const bare = instances.map(({ name, inputs, outputs }) => ({
    ...(name ? { name } : {}),
    inputs: inputs.map(input => [input.name, input.text]),
    outputs
  }));
  return JSON.stringify({ model, version, instances: bare }, null, 2);
}
