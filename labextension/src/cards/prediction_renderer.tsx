/** Renders the output of a prediction. */

import { readPrediction } from '../documents/check';
import type { PredictionDocument } from '../documents/generated';
import { CardRenderer } from './card_renderer';
import { PredictionView } from './prediction_view';

export const PREDICTION_MIME = 'application/vnd.cloudml.prediction+json';

export class PredictionRenderer extends CardRenderer<PredictionDocument> {
  constructor() {
    super(PREDICTION_MIME, readPrediction);
  }

  protected card(payload: PredictionDocument): JSX.Element {
    return <PredictionView prediction={payload} />;
  }
}
