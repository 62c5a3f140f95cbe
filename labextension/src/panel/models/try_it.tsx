/** A deployed model, asked from the panel: with pictures that are dropped, or with JSON that is typed. */

import { useEffect, useState, type ReactNode } from 'react';
import type { PredictionDocument } from '../../documents/generated';
import type { Api, ModelInterface } from '../../server/api';
import type { ErrorParts } from '../../server/requests';

import { Banner, wordsOf } from '../../parts/banner';
import { JsonQuestion } from './json_question';
import { PictureQuestion } from './picture_question';

export interface TryItProps {
  readonly api: Api;
  readonly title: string;
  showAnswer(answer: PredictionDocument): ReactNode;
}

export function TryIt({ api, title, showAnswer }: TryItProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="cloudml-TryIt">
      <button
        type="button"
        className="cloudml-Button cloudml-TryIt-button"
        aria-expanded={isOpen}
        aria-label={`Try it: ${title}`}
        onClick={() => setOpen(!isOpen)}
      >
        Try it
      </button>
      {isOpen && <Question api={api} title={title} showAnswer={showAnswer} />}
    </div>
  );
}

function Question({ api, title, showAnswer }: TryItProps) {
  const [takes, setTakes] = useState<ModelInterface | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [answer, setAnswer] = useState<PredictionDocument | null>(null);
  const [problem, setProblem] = useState<ErrorParts | null>(null);
  const fail = (refused: unknown) => setProblem(wordsOf(refused));

  useEffect(() => {
    let isShown = true;
    api.modelInterface(title).then(
      found => isShown && setTakes(found),
      (refused: unknown) => isShown && fail(refused)
    );
    return () => {
      isShown = false;
    };
  }, [api, title]);

  const ask = async (question: () => Promise<PredictionDocument>) => {
    setAsking(true);
    setProblem(null);
    try {
      setAnswer(await question());
    } catch (refused) {
      fail(refused);
    } finally {
      setAsking(false);
    }
  };

  return (
    <div className="cloudml-TryIt-form">
      {takes?.takes === 'picture' && (
        <PictureQuestion
          isAsking={isAsking}
          onAsk={pictures => void ask(async () => api.predictPictures(title, await pictures()))}
        />
      )}
      {takes?.takes === 'json' && (
        <JsonQuestion
          example={takes.example}
          isAsking={isAsking}
          onAsk={json => void ask(() => api.predictInstances(title, json))}
        />
      )}
      {problem && <Banner words={problem} />}
      <div className="cloudml-TryIt-answer" aria-live="polite" aria-busy={isAsking}>
        {answer && showAnswer(answer)}
      </div>
    </div>
  );
}
