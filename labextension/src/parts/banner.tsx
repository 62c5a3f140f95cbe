/** What is wrong, why, and what to do: one calm line above what is shown nevertheless. */

import type { ErrorParts } from '../server/requests';
import { Button } from './buttons';

export interface BannerProps {
  words: ErrorParts;
  retry?: () => unknown;
  dismiss?: () => void;
}

export function Banner({ words, retry, dismiss }: BannerProps): JSX.Element {
  return (
    <div className="cloudml-Banner" role="status">
      <span>
        <b>{coded(words.what)}</b> {coded(words.why)} {coded(words.next)}
      </span>
      {retry && <Button onClick={retry}>Retry</Button>}
      {dismiss && (
        <Button look="quiet" onClick={dismiss}>
          Dismiss
        </Button>
      )}
    </div>
  );
}

/** Text with what stands between backticks as code. */
export function coded(text: string | null): React.ReactNode {
  return text?.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

/** Words of whatever was thrown. */
export function wordsOf(problem: unknown): ErrorParts {
  const parts = (problem as { parts?: ErrorParts } | null)?.parts;
  const why = problem instanceof Error ? problem.message : String(problem);
  return parts ?? { reference: 'failed', what: 'That did not work.', why, next: '' };
}
