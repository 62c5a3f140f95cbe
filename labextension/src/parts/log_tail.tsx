/** What a job printed: the last lines, or all that is here in a scrolling area that follows and can be searched. */

import { memo, useId, useState } from 'react';
import type { LogLine } from '../server/api';
import { clock } from '../wording';
import { LogArea } from './log_area';

const TAIL = 4;

export interface LogTailProps {
  lines: readonly LogLine[];
  /** Whether the place of lines that are still to come is kept. */
  isReserved: boolean;
}

export const LogTail = memo(function LogTail({ lines, isReserved }: LogTailProps): JSX.Element | null {
  const [isOpen, setOpen] = useState(false);
  const area = useId();
  if (!lines.length && !isReserved) {
    return null;
  }
  return (
    <div className="cloudml-Log cloudml-Sunken">
      <div id={area}>
        {isOpen ? (
          <LogArea lines={lines} />
        ) : (
          <div className={`cloudml-Log-tail${isReserved ? ' cloudml-mod-reserved' : ''}`}>
            {lines.slice(-TAIL).map((line, index) => (
              <Line key={index} line={line} />
            ))}
          </div>
        )}
      </div>
      {lines.length > TAIL && (
        <button
          type="button"
          className="cloudml-Disclosure"
          aria-expanded={isOpen}
          aria-controls={area}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Last lines only' : 'All lines'}
        </button>
      )}
    </div>
  );
});

export const Line = memo(function Line({ line }: { line: LogLine }): JSX.Element {
  return (
    <div className="cloudml-Log-line" data-severity={line.severity}>
      <span className="cloudml-Log-time">{clock(line.time)}</span> {line.text}
    </div>
  );
});
