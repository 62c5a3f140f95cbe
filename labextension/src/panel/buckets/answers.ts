/** What a view asked the server, and the answer: none yet, a value, or a problem. */

import { wordsOf } from '../../parts/banner';
import { useCallback, useEffect, useState } from 'react';
import type { ErrorParts } from '../../server/requests';

export interface Answer<Value> {
  readonly value: Value | null;
  readonly problem: ErrorParts | null;
  ask(): void;
}

/** Asks when shown and whenever `about` becomes something else; an answer to an earlier question is dropped. */
export function useAnswer<Value>(question: () => Promise<Value>, about: unknown): Answer<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<ErrorParts | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    question().then(
      answer => {
        if (isWanted) {
          setValue(answer);
          setProblem(null);
        }
      },
      (refused: unknown) => isWanted && setProblem(wordsOf(refused))
    );
    return () => {
      isWanted = false;
    };
  }, [about, round]);
  return { value, problem, ask: useCallback(() => setRound(before => before + 1), []) };
}
