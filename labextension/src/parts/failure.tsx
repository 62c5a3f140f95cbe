/** Why a job failed: one sentence, what to do, and the line with those before it. */

import { memo } from 'react';
import { coded } from './banner';
import type { JobDocument } from '../documents/generated';

export type JobFailure = NonNullable<JobDocument['failure']>;

export interface FailureProps {
  failure: JobFailure;
  /** Goes to the line. */
  onVisit?: (() => unknown) | null | undefined;
}

export function Failure({ failure, onVisit }: FailureProps): JSX.Element {
  const place = failure.cell && failure.line ? `${failure.cell}, line ${failure.line}` : failure.cell;
  return (
    <>
      <p className="cloudml-Cause">
        <b>{coded(failure.message)}</b> {coded(failure.next)}
      </p>
      {failure.source.length > 0 && (
        <div className="cloudml-Source cloudml-Sunken" role="group" tabIndex={0} aria-label={place ?? 'Where it failed'}>
          {place && <div className="cloudml-Muted">{place}</div>}
          {failure.source.map(({ line, text }) => (
            <div key={line} className={line === failure.line ? 'cloudml-mod-hit' : ''}>
              <span className="cloudml-Source-line">{line}</span>
              {onVisit && line === failure.line ? (
                <button type="button" title="Go to this line" onClick={onVisit}>
                  <code>{text}</code>
                </button>
              ) : (
                <code>{text}</code>
              )}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

/** Warnings: one is shown, more are folded behind their number. */
export const Warnings = memo(function Warnings({ warnings }: { warnings: readonly string[] }): JSX.Element | null {
  if (warnings.length < 2) {
    return warnings.length ? <p className="cloudml-Warning">{warnings[0]}</p> : null;
  }
  return (
    <details className="cloudml-Warning">
      <summary>{warnings.length} warnings</summary>
      <ul>
        {warnings.map((warning, index) => (
          <li key={index}>{warning}</li>
        ))}
      </ul>
    </details>
  );
});
