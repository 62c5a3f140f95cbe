/** Instances as JSON, beginning with the example that the model's interface gives. */

import { useId, useState, type FormEvent } from 'react';

export interface JsonQuestionProps {
  readonly example: unknown;
  readonly isAsking: boolean;
  onAsk(instances: unknown): void;
}

export function JsonQuestion({ example, isAsking, onAsk }: JsonQuestionProps) {
  const [text, setText] = useState(() => pretty(example));
  const words = useId();
  const { instances, fault } = read(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!fault) {
      onAsk(instances);
    }
  };
  return (
    <form onSubmit={submit}>
      <textarea
        className="cloudml-Field cloudml-Json"
        aria-label="Instances as JSON"
        aria-invalid={fault !== ''}
        aria-describedby={words}
        spellCheck={false}
        rows={6}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <p id={words} className="cloudml-FieldWords" role="status">
        {fault}
      </p>
      <button type="submit" className="cloudml-Button cloudml-mod-primary" disabled={fault !== '' || isAsking}>
        {isAsking ? 'Asking …' : 'Predict'}
      </button>
    </form>
  );
}

/** The instances, or what is wrong with the text. */
export function read(text: string): { instances: unknown; fault: string } {
  if (!text.trim()) {
    return { instances: null, fault: 'Type a list of instances, such as [[0.1, 0.2]].' };
  }
  try {
    const instances: unknown = JSON.parse(text);
    const isList = Array.isArray(instances) && instances.length > 0;
    return { instances, fault: isList ? '' : 'A list of instances is needed: put [ and ] around a single one.' };
  } catch (problem) {
    return { instances: null, fault: `This is not JSON: ${problem instanceof Error ? problem.message : String(problem)}` };
  }
}

/** Each instance on a line of its own; empty where the model takes more than anybody would type. */
function pretty(example: unknown): string {
  if (!Array.isArray(example)) {
    return '';
  }
  const lines = example.map(instance => JSON.stringify(instance, null, 1).replace(/\n\s*/g, ' '));
  return `[${lines.join(',\n ')}]`;
}
