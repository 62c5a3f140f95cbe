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
  /** Draws every line that the server has, where it knows the job. */
  whole?: (() => JSX.Element) | undefined;
}

export function LogTail({ lines, isReserved, whole }: LogTailProps): JSX.Element | null {
  const [isOpen, setOpen] = useState(false);
  const area = useId();
  if (!lines.length && !isReserved) {
    return null;
  }
  return (
    <div className="cloudml-Log cloudml-Sunken">
      <div id={area}>
        {isOpen ? (
          (whole?.() ?? <LogArea lines={lines} />)
        ) : (
          <div className={`cloudml-Log-tail${isReserved ? ' cloudml-mod-reserved' : ''}`}>
            {lines.slice(-TAIL).map((line, index) => (
              <Line key={index} line={line} />
            ))}
          </div>
        )}
      </div>
      {(isReserved || lines.length > TAIL) && (
        <button
          type="button"
          className="cloudml-Disclosure"
          aria-expanded={isOpen}
          aria-controls={area}
          hidden={lines.length <= TAIL}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Last lines only' : 'All lines'}
        </button>
      )}
    </div>
  );
}

const Line = memo(function Line({ line }: { line: LogLine }): JSX.Element {
  return (
    <div className="cloudml-Log-line" data-severity={line.severity}>
      <span className="cloudml-Log-time">{clock(line.time)}</span> {line.text}
    </div>
  );
});
